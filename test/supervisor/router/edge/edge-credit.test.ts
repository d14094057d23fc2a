import t from 'tap'
import { controlWindow } from '../../../../src/supervisor/router/edge/sender.ts'
import { createWorld, type End, handleOne, numbered, numbers, settle } from './fake-world.ts'
import { everyPlace, interleave } from './interleave.ts'

const range = (length: number) => Array.from({ length }, (_, index) => index)

t.test('no more than the window is posted before the receiver reads, no more than the outbox waits', t => {
  const { a, b } = createWorld({ window: 4, outboxMax: 3, slots: 64 })
  const verdicts = range(9).map(number => a.edge.post(numbered(number)))
  t.same(verdicts, ['sent', 'sent', 'sent', 'sent', 'waiting', 'waiting', 'waiting', 'full', 'full'])
  a.tick()
  t.match(a.edge.stats(), { sent: 4, waiting: 3 })
  t.equal(a.edge.post(numbered(9)), 'full')
  settle(a, b)
  t.same(numbers(b.mailbox), range(7), 'credit came back on admission, though nothing was handled')
  t.equal(a.edge.post(numbered(10)), 'sent')
  t.end()
})

t.test('what nobody waits for leaves with what somebody does, in order, or when all that runs is done', async t => {
  const { a, b } = createWorld({ window: 8 })
  a.edge.postLate(numbered(0))
  a.tick()
  t.equal(a.port.posts, 0)
  a.edge.post(numbered(1))
  a.tick()
  t.equal(a.port.posts, 1)
  a.edge.postLate(numbered(2))
  t.equal(a.port.posts, 1)
  await new Promise(process.nextTick)
  t.equal(a.port.posts, 2)
  settle(a, b)
  t.same(numbers(b.mailbox), [0, 1, 2])
})

t.test('a sender that has credit is never woken by a message', t => {
  const { a, b } = createWorld({ window: 8 })
  for (const number of range(20)) {
    a.edge.post(numbered(number))
    settle(a, b)
    handleOne(b)
  }
  t.equal(b.port.posts, 0)
  t.end()
})

t.test('a sender that waits is woken once a batch, not once a message', t => {
  const { a, b } = createWorld({ window: 4, outboxMax: 100, slots: 256 })
  for (const number of range(40)) a.edge.post(numbered(number))
  settle(a, b)
  t.same(numbers(b.mailbox), range(40))
  t.ok(b.port.posts <= 10, `${b.port.posts} wakes for 10 batches`)
  t.end()
})

t.test('control has a window, an outbox and slots of its own', t => {
  const { a, b } = createWorld({ window: 2, outboxMax: 1, slots: 8 })
  for (const number of range(3)) t.not(a.edge.post(numbered(number)), 'full')
  t.equal(a.edge.post(numbered(3)), 'full')
  t.equal(a.edge.post(numbered(100, { lane: 'control' })), 'sent')
  a.tick()
  b.port.step()
  t.same(numbers(b.mailbox), [100, 0, 1], 'it did not wait for the credit of the normal lane')
  // Messages that stay in a mailbox take slots; the last ones are kept for control.
  settle(a, b)
  for (const number of range(20)) {
    a.edge.post(numbered(number))
    settle(a, b)
  }
  t.match(a.edge.stats(), { underWay: 6, waiting: 1 })
  t.equal(a.edge.post(numbered(101, { lane: 'control' })), 'sent')
  settle(a, b)
  t.same(numbers(b.mailbox).at(-1), 101)
  t.end()
})

t.test('a reply waits for no credit, and passes the messages that do', t => {
  const { a, b } = createWorld({ window: 2, outboxMax: 100 })
  for (const number of range(10)) b.edge.post(numbered(number))
  b.edge.reply(7, { status: 'ok', value: 'first' })
  b.tick()
  a.port.step()
  t.match(a.replies, [{ requestId: 7 }])
  t.same(numbers(a.mailbox), [0, 1], 'eight still wait')
  t.end()
})

t.test('control past its own window waits, and then leaves in order', t => {
  const { a, b } = createWorld({ slots: 2048, outboxMax: 10 })
  for (const number of range(controlWindow + 5)) a.edge.post(numbered(number, { lane: 'control' }))
  a.edge.flush()
  t.match(a.edge.stats(), { sent: controlWindow, waiting: 5 })
  settle(a, b)
  t.same(numbers(b.mailbox), range(controlWindow + 5))
  t.end()
})

t.test('messages that stay in a mailbox hold up nothing that comes after them', t => {
  const { a, b } = createWorld({ window: 4, slots: 64, outboxMax: 10 })
  // The first 20 are never handled, the other 2,000 are: far more than there are slots.
  for (const number of range(20)) {
    a.edge.post(numbered(number))
    settle(a, b)
  }
  const stuck = b.mailbox.splice(0)
  t.equal(stuck.length, 20)
  for (const number of range(2000)) {
    t.not(a.edge.post(numbered(number)), 'full')
    settle(a, b)
    t.same(numbers([handleOne(b)!]), [number])
  }
  t.match(a.edge.stats(), { sent: 2020, handled: 2000, underWay: 20 })
  t.end()
})

t.test('a message that is put back can be started again, and its slot stays its own', t => {
  const { a, b } = createWorld()
  const message = numbered(1)
  a.edge.post(message)
  settle(a, b)
  const { receipts, token } = b.mailbox[0]!
  t.equal(receipts.start(token), true)
  t.equal(a.edge.handledOf(message), 'unknown')
  receipts.putBack(token)
  t.equal(a.edge.handledOf(message), 'no')
  t.equal(a.edge.stats().underWay, 1)
  t.equal(receipts.start(token), true)
  receipts.finish(token)
  t.match(a.edge.stats(), { handled: 1, underWay: 0 })
  t.equal(a.edge.handledOf(message), 'unknown')
  t.end()
})

t.test('when every slot is taken messages wait, and each that comes free is used at once', t => {
  const { a, b } = createWorld({ window: 64, slots: 4, outboxMax: 100 })
  for (const number of range(20)) a.edge.post(numbered(number))
  settle(a, b)
  t.equal(b.mailbox.length, 3)
  const seen: number[] = []
  for (let message = handleOne(b); message !== undefined; message = handleOne(b)) {
    seen.push(...numbers([message]))
    settle(a, b)
  }
  t.same(seen, range(20))
  t.end()
})

t.test('a slot that a refusal gives back is used at once', t => {
  const { a, b } = createWorld({ window: 64, slots: 4, outboxMax: 100 })
  b.verdict = () => 'MAILBOX_FULL'
  for (const number of range(20)) a.edge.post(numbered(number))
  settle(a, b)
  t.match(a.edge.stats(), { sent: 20, refused: 20, waiting: 0, underWay: 0 })
  t.end()
})

/** A sender that is about to find itself without credit, while what it posted lies unread. */
function starved(): { a: End; b: End } {
  const world = createWorld({ window: 4, outboxMax: 100, slots: 64 })
  for (const number of range(4)) world.a.edge.post(numbered(number))
  world.a.tick()
  for (const number of range(4)) world.a.edge.post(numbered(4 + number))
  return world
}

t.test('no wake is lost, wherever the receiver reads in the flush of a sender that runs out of credit', t => {
  const places = everyPlace(at => {
    const { a, b } = starved()
    const count = interleave(
      () => a.tick(),
      at,
      () => void b.port.step(),
    )
    settle(a, b)
    if (numbers(b.mailbox).join() !== range(8).join()) t.fail(`stuck when the receiver reads at operation ${at}`)
    return count
  })
  t.ok(places > 4, `${places} places`)
  t.end()
})

t.test('no wake is lost, wherever the sender runs out of credit in the reading of the receiver', t => {
  const places = everyPlace(at => {
    const { a, b } = starved()
    const count = interleave(
      () => b.port.step(),
      at,
      () => void a.tick(),
    )
    settle(a, b)
    if (numbers(b.mailbox).join() !== range(8).join()) t.fail(`stuck when the sender flushes at operation ${at}`)
    return count
  })
  t.ok(places > 1, `${places} places`)
  t.end()
})

t.test('no wake is lost, wherever a message is finished in the flush of a sender that runs out of slots', t => {
  for (const whose of ['sender', 'receiver']) {
    const places = everyPlace(at => {
      // One slot, so that nothing but the end of this one message can help.
      const { a, b } = createWorld({ window: 64, slots: 1, outboxMax: 100 })
      a.edge.post(numbered(0))
      settle(a, b)
      a.edge.post(numbered(1))
      const flush = () => void a.tick()
      const handle = () => void handleOne(b)
      const handleAndLook = () => {
        handleOne(b)
        b.tick()
      }
      const count = whose === 'sender' ? interleave(flush, at, handle) : interleave(handleAndLook, at, flush)
      settle(a, b)
      while (handleOne(b) !== undefined) settle(a, b)
      const stats = a.edge.stats()
      if (stats.handled !== 2) t.fail(`stuck in the ${whose} at operation ${at}: ${JSON.stringify(stats)}`)
      return count
    })
    t.ok(places > 2, `${places} places`)
  }
  t.end()
})
