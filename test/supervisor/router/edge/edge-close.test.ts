import t from 'tap'
import type { Fate } from '../../../../src/messages/thread/envelope.ts'
import type { EdgeReport } from '../../../../src/supervisor/router/edge/report.ts'
import { createWorld, type End, handleOne, numbered, numbers, settle } from './fake-world.ts'
import { everyPlace, interleave } from './interleave.ts'

const range = (length: number) => Array.from({ length }, (_, index) => index)

/** Messages in every state: 0 handled, 1 in hand, 2 admitted, 3 refused and told, 4 refused and not told, 5 unread, 6 waiting. */
function oneOfEach() {
  const world = createWorld({ window: 5, slots: 64 })
  const { a, b } = world
  const messages = range(7).map(number => numbered(number, { requestId: number + 1 }))
  b.verdict = message => (numbers([message])[0] === 3 ? 'MAILBOX_FULL' : 'admitted')
  for (const message of messages.slice(0, 4)) a.edge.post(message)
  settle(a, b)
  b.verdict = () => 'NO_SUCH_ACTOR'
  a.edge.post(messages[4]!)
  a.tick()
  b.port.step()
  a.edge.post(messages[5]!)
  a.edge.flush()
  a.edge.post(messages[6]!)
  handleOne(b)
  const inHand = b.mailbox.shift()!
  inHand.receipts.start(inHand.token)
  return { ...world, messages }
}

function totalOf({ handled, inHand, unprocessed, lost, refused }: EdgeReport): number {
  return handled + inHand + unprocessed + lost + refused
}

for (const how of ['the other thread dies', 'this side closes'] as const) {
  t.test(`when ${how} the report counts and lists every message by its state`, t => {
    const { a, messages } = oneOfEach()
    if (how === 'the other thread dies') a.port.end()
    else a.edge.close()
    t.equal(a.reports.length, 1)
    const report = a.reports[0]!
    t.match(report, { sent: 6, handled: 1, inHand: 1, unprocessed: 1, lost: 1, refused: 2, handledByReceiver: 1 })
    t.equal(totalOf(report), report.sent)
    const fates: [number, Fate][] = report.fates.map(({ message, fate }) => [numbers([message])[0]!, fate])
    t.same(fates, [
      [0, 'handled'],
      [1, 'inHand'],
      [2, 'unprocessed'],
      [4, 'refused'],
      [5, 'lost'],
    ])
    t.same(report.unsent, [messages[6]])
    t.same(
      messages.map(message => a.edge.handledOf(message)),
      ['unknown', 'unknown', 'no', 'no', 'no', 'no', 'no'],
    )
    t.end()
  })
}

t.test('replies and refusals that were posted before a death are told before the close', t => {
  const { a, b } = createWorld()
  const order: string[] = []
  a.replies.push = ({ requestId }) => order.push(`reply ${requestId}`)
  a.refusals.push = ({ reason }) => order.push(`refused ${reason}`)
  a.reports.push = () => order.push('close')
  b.verdict = () => 'MAILBOX_FULL'
  a.edge.post(numbered(1))
  a.tick()
  b.port.step()
  b.edge.reply(7, { status: 'ok', value: 1 })
  b.tick()
  b.edge.reply(8, { status: 'ok', value: 1 })
  a.port.end()
  t.same(order, ['reply 7', 'refused MAILBOX_FULL', 'close'], 'and what was never flushed is not')
  t.end()
})

t.test('closing is idempotent, from either side and in whatever order', t => {
  const { a } = createWorld()
  a.edge.post(numbered(1))
  a.edge.close()
  a.edge.close()
  a.port.end()
  t.equal(a.reports.length, 1)
  t.equal(a.edge.post(numbered(2)), 'closed')
  a.edge.reply(1, { status: 'ok', value: 1 })
  a.edge.flush()
  t.equal(a.tick(), true, 'a flush that was planned finds nothing to do')
  t.equal(a.port.posts, 0)
  t.end()
})

t.test('closing from within each callback ends the work at hand and is reported once', t => {
  for (const when of ['deliver', 'onReply', 'onRefused'] as const) {
    const { a, b } = createWorld()
    const close = () => {
      b.edge.close()
      return 0
    }
    b.verdict = () => {
      if (when === 'deliver') close()
      return 'admitted'
    }
    if (when === 'onReply') b.replies.push = close
    if (when === 'onRefused') b.refusals.push = close
    a.verdict = () => 'MAILBOX_FULL'
    b.edge.post(numbered(1))
    b.tick()
    a.port.step()
    a.edge.reply(1, { status: 'ok', value: 1 })
    a.edge.reply(2, { status: 'ok', value: 1 })
    for (const number of range(3)) a.edge.post(numbered(number))
    a.tick()
    while (b.port.step());
    t.equal(b.reports.length, 1, when)
    a.port.end()
    t.equal(totalOf(a.reports[0]!), 3, when)
    t.equal(b.mailbox.length, when === 'deliver' ? 1 : 0, when)
  }
  t.end()
})

t.test('what a closed sender reports as not handled can no longer be started, though the receiver lives', t => {
  const { a, b } = createWorld()
  for (const number of range(4)) a.edge.post(numbered(number))
  settle(a, b)
  const [handled, inHand, postponed, waiting] = b.mailbox.splice(0)
  handled!.receipts.start(handled!.token)
  handled!.receipts.finish(handled!.token)
  inHand!.receipts.start(inHand!.token)
  postponed!.receipts.start(postponed!.token)
  a.edge.post(numbered(4))
  a.tick()
  a.edge.close()
  t.match(a.reports, [{ sent: 5, handled: 1, inHand: 2, unprocessed: 1, lost: 1 }])
  t.equal(waiting!.receipts.start(waiting!.token), false)
  postponed!.receipts.putBack(postponed!.token)
  t.equal(postponed!.receipts.start(postponed!.token), false, 'it was reported as in hand, so it is not begun again')
  while (b.port.step());
  t.equal(b.mailbox.length, 0, 'an unread message is not admitted')
  inHand!.receipts.finish(inHand!.token)
  t.end()
})

t.test('a message is never both revoked and begun, wherever the two meet', t => {
  for (const whose of ['closer', 'starter']) {
    const places = everyPlace(at => {
      const { a, b } = createWorld()
      a.edge.post(numbered(0))
      settle(a, b)
      const { receipts, token } = b.mailbox[0]!
      let begun = false
      const close = () => a.edge.close()
      const start = () => {
        begun = receipts.start(token)
      }
      const count = whose === 'closer' ? interleave(close, at, start) : interleave(start, at, close)
      if (a.reports.length === 0) a.edge.close()
      const { inHand, unprocessed } = a.reports[0]!
      if (inHand + unprocessed !== 1 || begun !== (inHand === 1)) t.fail(`begun ${begun}, in hand ${inHand} at ${at}`)
      return count
    })
    t.ok(places > 0, `${places} places`)
  }
  t.end()
})

t.test('a message is never both lost and admitted, wherever the two meet', t => {
  for (const whose of ['closer', 'reader']) {
    const places = everyPlace(at => {
      const { a, b } = createWorld()
      a.edge.post(numbered(0))
      a.tick()
      const close = () => a.edge.close()
      // A close of the port does not take back what was posted.
      const read = () => void b.port.step()
      const count = whose === 'closer' ? interleave(close, at, read) : interleave(read, at, close)
      if (a.reports.length === 0) a.edge.close()
      const { lost, unprocessed } = a.reports[0]!
      if (lost + unprocessed !== 1 || (b.mailbox.length === 1) !== (unprocessed === 1)) t.fail(`at ${at}`)
      return count
    })
    t.ok(places > 0, `${places} places`)
  }
  t.end()
})

t.test('what the receiver has counted is never behind what the sender knows, wherever the end comes', t => {
  const places = everyPlace(at => {
    const { a, b } = createWorld()
    a.edge.post(numbered(0))
    settle(a, b)
    const { receipts, token } = b.mailbox[0]!
    receipts.start(token)
    const count = interleave(
      () => {
        receipts.finish(token)
        b.tick()
      },
      at,
      () => a.edge.close(),
    )
    if (a.reports.length === 0) a.edge.close()
    const { handled, inHand, handledByReceiver } = a.reports[0]!
    if (handledByReceiver < handled || handledByReceiver > handled + inHand) t.fail(`${handledByReceiver} at ${at}`)
    return count
  })
  t.ok(places > 1, `${places} places`)
  t.end()
})

t.test('a report lists no more than it may, those known to be handled left out first', t => {
  const kinds = (end: End) => end.reports[0]!.fates.map(({ fate }) => fate)
  const world = (reportMax: number) => {
    const { a, b } = createWorld({ reportMax, slots: 64 })
    for (const number of range(10)) a.edge.post(numbered(number))
    settle(a, b)
    for (const _ of range(4)) handleOne(b)
    a.port.end()
    return a
  }
  t.same(kinds(world(3)), Array(3).fill('unprocessed'))
  t.same(kinds(world(7)), ['handled', ...Array(6).fill('unprocessed')])
  t.equal(kinds(world(100)).length, 10)
  t.equal(world(0).reports[0]!.unprocessed, 6)
  t.end()
})

t.test('unsent messages are handed back control first, and may be posted to a replacement', t => {
  const { a } = createWorld({ window: 1 })
  for (const number of range(4)) a.edge.post(numbered(number, { lane: number % 2 === 1 ? 'control' : 'normal' }))
  a.port.end()
  const { unsent, sent } = a.reports[0]!
  t.equal(sent, 0)
  t.same(numbers(unsent), [1, 3, 0, 2])
  const next = createWorld()
  for (const message of unsent) next.a.edge.post(message)
  settle(next.a, next.b)
  t.same(numbers(next.b.mailbox), [1, 3, 0, 2])
  t.end()
})

t.test('a receiver goes on with what it admitted when the sender has died', t => {
  const { a, b } = createWorld()
  a.edge.post(numbered(1))
  settle(a, b)
  b.port.end()
  t.same(numbers([handleOne(b)!]), [1])
  t.end()
})
