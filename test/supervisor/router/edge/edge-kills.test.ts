import t from 'tap'
import { runKills } from './kills/arena.ts'

// Each kill starts a worker, which takes long on a machine that is busy with other tests.
t.setTimeout(120_000)

t.test('over 15 kills under load every message is accounted for, as the receivers counted themselves', async t => {
  const seed = 20_261_121
  const tally = await runKills(15, seed)
  t.comment(`seed ${seed}: ${JSON.stringify(tally)}`)
  t.same(tally.wrong, [])
  for (const fate of ['handled', 'inHand', 'unprocessed', 'lost', 'refused', 'asks'] as const) {
    t.ok(tally[fate] > 0, `some messages are among ${fate}`)
  }
})
