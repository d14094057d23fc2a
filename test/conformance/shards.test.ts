/** The conformance suite over two worker threads: `node test/conformance/shards.test.ts [group …]`. */
import t from 'tap'
import { groups } from './groups.ts'
import { createShardsStage } from './shards-world.ts'
import { runGroups } from './suite.ts'

const only = process.argv.slice(2)
const stage = await createShardsStage()
t.teardown(() => stage.close())

t.test('a tree on one shard', async t => {
  runGroups(groups, () => stage.world('alone'), only, ['time', 'shard'], t)
})
t.test('supervisors on the main thread, children on two shards', async t => {
  runGroups(groups, () => stage.world('spread'), only, ['time', 'together', 'shard'], t)
})
