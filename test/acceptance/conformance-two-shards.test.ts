/**
 * The conformance suite with supervisors on the main thread and their children on two worker threads:
 * `node test/acceptance/conformance-two-shards.test.ts [group …]`.
 */
import t from 'tap'
import { groups } from '../conformance/groups.ts'
import { createShardsStage } from '../conformance/shards-world.ts'
import { runGroups } from '../conformance/suite.ts'

const stage = await createShardsStage()
t.teardown(() => stage.close())

runGroups(groups, () => stage.world('spread'), process.argv.slice(2), ['time', 'together', 'shard'], t)
