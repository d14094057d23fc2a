import t from 'tap'
import { rehearse } from '../../../src/supervisor/shard/rehearsal.ts'
import { turn } from '../fixtures/local-system.ts'

t.test('a rehearsal plays to the end and leaves nothing behind', async t => {
  const before = process.getActiveResourcesInfo().sort()
  t.equal(await rehearse(), true)
  // Ports close in their own time.
  for (let turns = 0; turns < 1_000; turns++) await turn()
  t.same(process.getActiveResourcesInfo().sort(), before)
})
