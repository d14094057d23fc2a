import t from 'tap'
import { runAccounting } from './fixtures/account.ts'

t.setTimeout(120_000)

t.test(
  'over 40 kills of threads and actors under load every message is accounted for and every ask settles',
  async t => {
    const seed = 20_261_121
    const { wrong, fates, edges, asks } = await runAccounting(40, 10, seed)
    t.comment(`seed ${seed}: ${edges} edges ${JSON.stringify(fates)} asks ${JSON.stringify(asks)}`)
    t.same(wrong, [])
    t.equal(edges, 22)
    for (const [fate, count] of Object.entries(fates)) if (fate !== 'inHand') t.ok(count > 0, `some are ${fate}`)
    t.ok(asks['answered']! > 0)
    t.ok(asks['ACTOR_DIED no']! > 0, 'some asks were certainly not handled')
    t.same(
      Object.keys(asks).filter(outcome => !['answered', 'ACTOR_DIED no', 'ACTOR_DIED unknown'].includes(outcome)),
      [],
    )
  },
)
