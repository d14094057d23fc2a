/** As test/supervisor/accounting.test.ts, with a thousand kills. */
import t from 'tap'
import { runAccounting } from '../supervisor/fixtures/account.ts'

t.setTimeout(600_000)

t.test(
  'over 1,000 kills of threads and actors under load every message is accounted for and every ask settles',
  async t => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    const { wrong, fates, edges, asks } = await runAccounting(1_000, 250, seed)
    t.comment(`seed ${seed}: ${edges} edges ${JSON.stringify(fates)} asks ${JSON.stringify(asks)}`)
    t.same(wrong, [])
    t.equal(edges, 502)
    t.ok(fates.inHand > 0)
  },
)
