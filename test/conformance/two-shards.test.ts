/**
 * The conformance suite with supervisors on the main thread and their children on two worker threads:
 * `node test/conformance/two-shards.test.ts [group …]`.
 */
import t from 'tap'
import { groups } from './groups.ts'
import { createShardsStage } from './shards-world.ts'
import { runGroups } from './suite.ts'

const stage = await createShardsStage()
t.teardown(() => stage.close())

runGroups(groups, () => stage.world('spread'), process.argv.slice(2), ['time', 'together', 'shard'], t)
