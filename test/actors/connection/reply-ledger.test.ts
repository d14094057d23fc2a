/** Answers leave in the order of the requests, or as they come, and what waits is counted. */
import t from 'tap'
import { ReplyLedger } from '../../../src/actors/connection/reply-ledger.ts'
import { createRandom } from '../../../src/actors/runtime/clock.ts'

const header = Buffer.alloc(16)

const collect = () => {
  const left: string[] = []
  return { left, release: (reply: Uint8Array) => void left.push(Buffer.from(reply).toString()) }
}

t.test('in order, whatever the order of settling: a thousand seeded conversations', async t => {
  let wrong = 0
  for (let seed = 0; seed < 1_000; seed++) {
    const random = createRandom(seed)
    const sink = collect()
    const ledger = new ReplyLedger(true)
    const expected: string[] = []
    const open: { token: number; name: string }[] = []
    for (let step = 0; step < 40; step++) {
      const name = String(step)
      if (random() < 0.4) {
        expected.push(name)
        open.push({ token: ledger.begin(10, header), name })
      } else if (random() < 0.5 && open.length > 0) {
        const [{ token, name: which }] = open.splice(Math.floor(random() * open.length), 1) as [(typeof open)[0]]
        ledger.settle(token, Buffer.from(which), sink)
      } else {
        expected.push(name)
        if (ledger.holdsBack) ledger.queue(Buffer.from(name))
        else sink.release(Buffer.from(name))
      }
    }
    for (const { token, name } of open.reverse()) ledger.settle(token, Buffer.from(name), sink)
    const { size, inFlight, inFlightBytes, waitingReplyBytes } = ledger
    if (sink.left.join() !== expected.join() || size + inFlight + inFlightBytes + waitingReplyBytes !== 0) wrong++
  }
  t.equal(wrong, 0)
})

t.test('as they come', async t => {
  const sink = collect()
  const ledger = new ReplyLedger(false)
  const [a, b] = [ledger.begin(5, header), ledger.begin(7, header)]
  t.equal(ledger.holdsBack, false)
  t.equal(ledger.inFlightBytes, 12)
  t.equal(ledger.settle(b, Buffer.from('b'), sink), true)
  t.equal(ledger.settle(b, Buffer.from('b'), sink), false, 'once')
  t.equal(ledger.settle(99, Buffer.from('x'), sink), false, 'known tokens only')
  ledger.settle(a, Buffer.from('a'), sink)
  t.same(sink.left, ['b', 'a'])
  t.equal(ledger.inFlight, 0)
})

t.test('what waits is counted, and a queued answer cannot be settled', async t => {
  const sink = collect()
  const ledger = new ReplyLedger(true)
  const first = ledger.begin(100, header)
  ledger.queue(Buffer.alloc(30))
  t.same([ledger.size, ledger.inFlight, ledger.waitingReplyBytes], [2, 1, 30])
  t.equal(ledger.settle(first + 1, Buffer.from('x'), sink), false)
  ledger.settle(first, Buffer.from('a'), sink)
  t.same([ledger.size, ledger.inFlight, ledger.waitingReplyBytes], [0, 0, 0])
})
