import t from 'tap'
import { createEnvelope, type Envelope } from '../../../../src/messages/thread/envelope.ts'
import { batchMax } from '../../../../src/supervisor/router/edge/edge.ts'
import { createWorld, type End, handleOne, numbered, numbers, settle } from './fake-world.ts'

const range = (length: number) => Array.from({ length }, (_, index) => index)

t.test('a message arrives with every field it left with, and says how far it came', t => {
  const { a, b } = createWorld()
  const fields = {
    to: 'peer/n2',
    from: 'probe/n1',
    toIncarnation: 7,
    requestId: 2 ** 40,
    deadlineMs: 1_700_000_000_000.5,
    lane: 'control' as const,
    event: { type: 'probe.ask', nested: { list: [1, 'two', null] } } as { type: string },
  }
  a.edge.post(createEnvelope(fields))
  a.edge.post(createEnvelope({ to: 'peer/n2', event: { type: 'plain' } }))
  settle(a, b)
  const [first, second] = b.mailbox
  t.match(first, fields)
  t.match(second, { to: 'peer/n2', from: null, toIncarnation: 0, requestId: 0, deadlineMs: undefined, lane: 'normal' })
  t.end()
})

t.test('all the messages of a tick travel in one batch', t => {
  const { a, b } = createWorld()
  for (const number of range(10)) t.equal(a.edge.post(numbered(number)), 'sent')
  t.equal(a.port.posts, 0)
  settle(a, b)
  t.equal(a.port.posts, 1)
  t.same(numbers(b.mailbox), range(10))
  t.end()
})

t.test('flush posts at once, and the flush that was planned then has nothing to do', t => {
  const { a, b } = createWorld()
  a.edge.post(numbered(1))
  a.edge.flush()
  t.equal(a.port.posts, 1)
  settle(a, b)
  t.equal(a.port.posts, 1)
  t.end()
})

t.test('a large queue leaves in slices, without waiting for the end of the tick', t => {
  const { a, b } = createWorld({ window: 4 * batchMax, slots: 8 * batchMax, outboxMax: 10 })
  for (const number of range(3 * batchMax)) a.edge.post(numbered(number))
  t.equal(a.port.posts, 3)
  settle(a, b)
  t.same(numbers(b.mailbox), range(3 * batchMax))
  t.end()
})

t.test('control goes before normal in a batch, each lane in its order', t => {
  const { a, b } = createWorld()
  a.edge.post(numbered(1))
  a.edge.post(numbered(10, { lane: 'control' }))
  a.edge.post(numbered(2))
  a.edge.post(numbered(11, { lane: 'control' }))
  settle(a, b)
  t.same(numbers(b.mailbox), [10, 11, 1, 2])
  t.end()
})

t.test('names keep their meaning past the size of the table', t => {
  const { a, b } = createWorld({ window: 256, slots: 1024 })
  const seen: string[] = []
  const sent: string[] = []
  for (const round of range(100)) {
    for (const index of range(100)) {
      // A few names that are used all the time among thousands that come and go.
      const to = index % 10 === 0 ? `steady/${index}` : `passing/${round}/${index}`
      sent.push(to)
      a.edge.post(createEnvelope({ to, from: `from/${to}`, event: { type: 'x' } }))
    }
    settle(a, b)
    for (let message = handleOne(b); message !== undefined; message = handleOne(b)) {
      seen.push(message.to)
      if (message.from !== `from/${message.to}`) t.fail(`${message.from} is not the sender to ${message.to}`)
    }
  }
  t.same(seen, sent)
  t.end()
})

t.test('every kind of reply arrives', t => {
  const { a, b } = createWorld()
  b.edge.reply(1, { status: 'ok', value: { up: true } })
  b.edge.reply(2, { status: 'failed', error: { code: 'ACTOR_DIED' } })
  b.edge.reply(3, { status: 'notClonable', reason: 'a function' })
  b.edge.reply(4, { status: 'ok', value: undefined })
  settle(a, b)
  t.same(a.replies, [
    { requestId: 1, outcome: { status: 'ok', value: { up: true } } },
    { requestId: 2, outcome: { status: 'failed', error: { code: 'ACTOR_DIED' } } },
    { requestId: 3, outcome: { status: 'notClonable', reason: 'a function' } },
    { requestId: 4, outcome: { status: 'ok', value: undefined } },
  ])
  t.end()
})

t.test('a refused message comes back to its sender with the reason', t => {
  const { a, b } = createWorld()
  b.verdict = message => (message.to === 'full' ? 'MAILBOX_FULL' : 'admitted')
  const refused = numbered(2, { to: 'full' })
  for (const message of [numbered(1), refused, numbered(3)]) a.edge.post(message)
  settle(a, b)
  t.same(numbers(b.mailbox), [1, 3])
  t.equal(a.refusals.length, 1)
  t.equal(a.refusals[0]!.message, refused)
  t.equal(a.refusals[0]!.reason, 'MAILBOX_FULL')
  t.equal(a.edge.handledOf(refused), 'no')
  t.match(a.edge.stats(), { sent: 3, refused: 1, underWay: 2 })
  t.end()
})

t.test('a message that was admitted and dropped later comes back too, and cannot be started', t => {
  const { a, b } = createWorld()
  const message = numbered(1)
  a.edge.post(message)
  settle(a, b)
  const { receipts, token } = b.mailbox[0]!
  receipts.refuse(token, 'ACTOR_DIED')
  t.equal(receipts.start(token), false)
  settle(a, b)
  t.match(a.refusals, [{ reason: 'ACTOR_DIED' }])
  t.match(a.edge.stats(), { sent: 1, refused: 1, underWay: 0, handled: 0 })
  t.end()
})

t.test('a message that was started cannot be refused', t => {
  const { a, b } = createWorld()
  a.edge.post(numbered(1))
  settle(a, b)
  const { receipts, token } = b.mailbox[0]!
  receipts.start(token)
  receipts.refuse(token, 'ACTOR_DIED')
  receipts.finish(token)
  settle(a, b)
  t.equal(a.refusals.length, 0)
  t.match(a.edge.stats(), { handled: 1, refused: 0 })
  t.end()
})

t.test('one message that cannot be cloned is refused by name; all others arrive, in order', t => {
  const { a, b } = createWorld()
  const culprits: Envelope[] = []
  for (const number of range(9)) {
    const message =
      number % 3 === 1
        ? createEnvelope({
            to: `bad/${number}`,
            event: { type: 'with.function', call: () => number } as { type: string },
          })
        : numbered(number, { to: `good/${number}` })
    if (number % 3 === 1) culprits.push(message)
    a.edge.post(message)
  }
  settle(a, b)
  t.same(numbers(b.mailbox), [0, 2, 3, 5, 6, 8])
  t.same(
    b.mailbox.map(({ to }) => to),
    [0, 2, 3, 5, 6, 8].map(number => `good/${number}`),
  )
  t.same(
    a.refusals.map(({ message }) => message),
    culprits,
  )
  for (const { reason, cause } of a.refusals) {
    t.equal(reason, 'NOT_CLONABLE')
    t.equal((cause as Error).name, 'DataCloneError')
  }
  t.match(a.edge.stats(), { sent: 6, notClonable: 3, underWay: 6 })
  // The names that both sides know still agree.
  for (const number of range(9)) a.edge.post(numbered(number, { to: `good/${number}` }))
  settle(a, b)
  t.same(
    b.mailbox.slice(6).map(({ to }) => to),
    range(9).map(number => `good/${number}`),
  )
  t.end()
})

t.test('credit and slots of messages that could not be cloned are not lost', t => {
  const { a, b } = createWorld({ window: 2, slots: 8, outboxMax: 100 })
  for (const _ of range(50))
    a.edge.post(createEnvelope({ to: 'x', event: { type: 'bad', call() {} } as { type: string } }))
  settle(a, b)
  t.equal(a.refusals.length, 50)
  for (const number of range(50)) a.edge.post(numbered(number))
  for (const _ of range(50)) {
    settle(a, b)
    handleOne(b)
  }
  settle(a, b)
  t.match(a.edge.stats(), { sent: 50, handled: 50, underWay: 0, waiting: 0, notClonable: 50 })
  t.end()
})

t.test('who is told of a refusal may post at once', t => {
  const { a, b } = createWorld()
  const pushed = a.refusals.push.bind(a.refusals)
  a.refusals.push = (...refusals) => {
    a.edge.post(numbered(99))
    return pushed(...refusals)
  }
  a.edge.post(createEnvelope({ to: 'x', event: { type: 'bad', call() {} } as { type: string } }))
  settle(a, b)
  t.same(numbers(b.mailbox), [99])
  t.end()
})

t.test('a reply that cannot be cloned says so to the one who asked; other replies arrive', t => {
  const { a, b } = createWorld()
  b.edge.reply(1, { status: 'ok', value: 1 })
  b.edge.reply(2, { status: 'ok', value: () => 2 })
  b.edge.reply(3, { status: 'ok', value: 3 })
  settle(a, b)
  t.match(a.replies, [
    { requestId: 1, outcome: { status: 'ok', value: 1 } },
    { requestId: 2, outcome: { status: 'notClonable', reason: /could not be cloned/ } },
    { requestId: 3, outcome: { status: 'ok', value: 3 } },
  ])
  t.end()
})

t.test('a batch out of sequence ends the edge, since its counts would no longer be true', t => {
  for (const spoil of [(end: End) => end.port.queue.shift(), (end: End) => end.port.queue.push(end.port.queue[0])]) {
    const { a, b } = createWorld()
    a.edge.post(numbered(1))
    a.tick()
    spoil(b)
    a.edge.post(numbered(2))
    a.tick()
    settle(b)
    t.equal(b.port.closed, true)
    t.equal(b.reports.length, 1)
    t.equal(b.isBroken, true, 'which it tells from a death')
    a.port.end()
    t.equal(a.isBroken, false)
  }
  t.end()
})
