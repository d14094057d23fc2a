/** The conformance suite with a whole tree on one worker thread: `node test/conformance/one-shard.test.ts [group …]`. */
import t from 'tap'
import { groups } from './groups.ts'
import { createShardsStage } from './shards-world.ts'
import { runGroups } from './suite.ts'

const stage = await createShardsStage()
t.teardown(() => stage.close())

runGroups(groups, () => stage.world('alone'), process.argv.slice(2), ['time', 'shard'], t)
