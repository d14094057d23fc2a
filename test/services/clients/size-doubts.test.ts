/** When the size of a request is blamed for the connections that end on it. */
import t from 'tap'
import { PendingRequest } from '../../../src/services/clients/pending-request.ts'
import { SizeDoubts } from '../../../src/services/clients/size-doubts.ts'

class Sized extends PendingRequest {
  constructor(bytes: number) {
    super(
      bytes,
      { timeoutMs: 1, isIdempotent: true },
      () => {},
      () => {},
    )
  }

  override get doubt(): string {
    return this.bytes < 10 ? '' : '; too large?'
  }

  describe(): string {
    return `a request of ${this.bytes}`
  }
}

/** Requests of these sizes, in flight when their connection ends. */
const lost = (...sizes: readonly number[]) => sizes.map(bytes => ({ request: new Sized(bytes), wasWritten: true }))

/** The size that is blamed for each connection. */
const blamed = (doubts: SizeDoubts, ...connections: readonly (readonly number[])[]) =>
  connections.map(sizes => doubts.blame(lost(...sizes))?.bytes)

t.test('the largest is blamed when a second connection ends on it', async t => {
  t.same(blamed(new SizeDoubts(), [100], [100], [100]), [undefined, 100, 100])
  t.same(blamed(new SizeDoubts(), [1, 100, 50], [50, 100]), [undefined, 100])
})

t.test('not another size, one that nobody doubts, or one that has not left', async t => {
  t.same(blamed(new SizeDoubts(), [100], [101], [100]), [undefined, undefined, undefined])
  t.same(blamed(new SizeDoubts(), [9], [9], [9]), [undefined, undefined, undefined])
  const doubts = new SizeDoubts()
  const waiting = [{ request: new Sized(100), wasWritten: false }]
  t.same([doubts.blame(waiting), doubts.blame(waiting)], [undefined, undefined])
})

t.test('not when one as large was answered, or the server was away', async t => {
  const doubts = new SizeDoubts()
  doubts.answered(100)
  doubts.answered(5)
  t.same(blamed(doubts, [100], [100]), [undefined, undefined])
  t.same(blamed(doubts, [101]), [undefined])
  doubts.wasAway()
  t.same(blamed(doubts, [101], [101]), [undefined, 101])
})
