import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { Edge } from '../../../../src/supervisor/router/edge/edge-contract.ts'
import { createWorld, handleOne, named, numbered, numbers, settle, unreadable } from './fake-world.ts'

const range = (length: number) => Array.from({ length }, (_, index) => index)

/** A numbered message that can be written and not be read. */
function bad(number: number, rest: Parameters<typeof numbered>[1] = {}) {
  const message = numbered(number, rest)
  return Object.assign(message, { event: { ...message.event, value: unreadable } })
}

t.test(
  'a message that cannot be read is refused by itself: all others of it and of later batches arrive in order',
  t => {
    const { a, b } = createWorld()
    a.edge.post(numbered(0, { to: 'x' }))
    settle(a, b)
    for (const number of [1, 2, 3]) a.edge.post(number === 2 ? bad(2, { requestId: 7 }) : numbered(number, { to: 'y' }))
    a.tick()
    for (const number of [4, 5]) a.edge.post(numbered(number, { to: number === 4 ? 'x' : 'z' }))
    a.tick()
    a.edge.post(numbered(6, { lane: 'control' }))
    settle(a, b)
    t.same(numbers(b.mailbox), [0, 1, 3, 4, 5, 6])
    t.same(
      b.mailbox.map(({ to }) => to),
      ['x', 'y', 'y', 'x', 'z', 'receiver'],
    )
    t.equal(a.refusals.length, 1)
    t.match(a.refusals[0], { reason: 'NOT_CLONABLE', message: { requestId: 7 }, cause: /too deep/ })
    t.equal(a.edge.handledOf(a.refusals[0]!.message), 'no')
    while (handleOne(b) !== undefined);
    t.match(a.edge.stats(), { sent: 6, handled: 6, refused: 0, notClonable: 1, underWay: 0, waiting: 0 })
    t.end()
  },
)

t.test('of several batches that cannot be read each is put right, and nothing else is refused', t => {
  const { a, b } = createWorld()
  for (const number of range(6)) {
    a.edge.post(number % 2 === 0 ? bad(number) : numbered(number))
    a.tick()
  }
  settle(a, b)
  t.same(numbers(b.mailbox), [1, 3, 5])
  t.same(numbers(a.refusals.map(({ message }) => message)), [0, 2, 4])
  t.end()
})

t.test('what is posted while a batch is put right waits behind it', t => {
  const { a, b } = createWorld()
  a.edge.post(bad(0))
  a.edge.post(numbered(1))
  a.tick()
  b.port.step()
  a.port.step()
  a.edge.post(numbered(2), true)
  a.edge.reply(9, { status: 'ok', value: 9 }, true)
  t.same(b.mailbox, [])
  settle(a, b)
  t.same(numbers(b.mailbox), [1, 2])
  t.same(b.replies, [{ requestId: 9, outcome: { status: 'ok', value: 9 } }])
  t.end()
})

t.test('credit and slots of messages that cannot be read are not lost', t => {
  const { a, b } = createWorld({ window: 2, slots: 4, outboxMax: 100 })
  for (const number of range(60)) a.edge.post(number % 3 === 0 ? numbered(number) : bad(number))
  for (let left = 60; left > 0; left--) {
    settle(a, b)
    handleOne(b)
  }
  t.equal(a.refusals.length, 40)
  t.match(a.edge.stats(), { sent: 20, handled: 20, notClonable: 40, underWay: 0, waiting: 0 })
  t.end()
})

t.test('a reply that cannot be read says so to the one who asked; other replies and refusals arrive once', t => {
  const { a, b } = createWorld()
  b.verdict = () => 'MAILBOX_FULL'
  a.edge.post(numbered(0))
  a.tick()
  b.port.step()
  for (const requestId of [1, 2, 3]) {
    b.edge.reply(requestId, { status: 'ok', value: requestId === 2 ? unreadable : requestId })
  }
  settle(a, b)
  t.match(a.replies, [
    { requestId: 1, outcome: { status: 'ok', value: 1 } },
    { requestId: 2, outcome: { status: 'notClonable', reason: /too deep/ } },
    { requestId: 3, outcome: { status: 'ok', value: 3 } },
  ])
  t.equal(a.replies.length, 3)
  t.equal(a.refusals.length, 1)
  t.end()
})

t.test('the codecs of both sides keep their numbers over a batch that cannot be read', t => {
  const { a, b } = createWorld()
  let decoded = 0
  const codec = {
    type: 'coded',
    encode: (event: { number: number }, writer: { u32(value: number): void }) => writer.u32(event.number),
    decode: (reader: { u32(): number }) => {
      decoded++
      return { type: 'coded', number: reader.u32() }
    },
  }
  const other = { ...codec, type: 'other' }
  a.codecs.add(named(other as never))
  for (const end of [a, b]) end.codecs.add(named(codec as never))
  // The first batch, which names the codecs, is the one that cannot be read.
  a.edge.post(bad(0))
  settle(a, b)
  a.edge.post(bad(1))
  a.edge.post(numbered(2, { type: 'coded' }))
  settle(a, b)
  b.edge.post(numbered(3, { type: 'coded' }))
  settle(a, b)
  t.same([numbers(b.mailbox), numbers(a.mailbox)], [[2], [3]])
  t.equal(decoded, 2)
  t.end()
})

t.test('as many batches as messages are posted again for a burst of messages that cannot be read', t => {
  const { a, b } = createWorld({ window: 500, slots: 1_000 })
  for (const number of range(400)) {
    a.edge.post(bad(number))
    if (number % 40 === 39) a.tick()
  }
  settle(a, b)
  t.equal(a.refusals.length, 400)
  t.ok(b.port.posts < 450, `${b.port.posts} notices`)
  t.ok(a.port.posts < 450, `${a.port.posts} batches`)
  t.end()
})

for (const how of ['the other side dies', 'this side closes'] as const) {
  t.test(`when ${how} before a batch is put right, what it held counts as lost`, t => {
    const { a, b } = createWorld()
    for (const number of [0, 1, 2]) a.edge.post(number === 1 ? bad(1) : numbered(number))
    a.tick()
    a.edge.post(numbered(3))
    a.tick()
    while (b.port.step());
    // The first is posted again by itself, and read; the culprit is on its way.
    a.port.step()
    b.port.step()
    if (how === 'this side closes') a.edge.close()
    else a.port.end()
    t.match(a.reports, [{ sent: 4, handled: 0, unprocessed: 1, lost: 3, refused: 0, notClonable: 0, unsent: [] }])
    t.same(
      a.reports[0]!.fates.map(({ message, fate }) => [numbers([message])[0], fate]),
      [
        [0, 'unprocessed'],
        [1, 'lost'],
        [2, 'lost'],
        [3, 'lost'],
      ],
    )
    t.end()
  })
}

t.test('a request that was given up while its batch is put right is not delivered', t => {
  const { a, b } = createWorld()
  const request = numbered(1, { requestId: 1 })
  a.edge.post(bad(0))
  a.edge.post(request)
  a.tick()
  b.port.step()
  t.equal(a.edge.revoke(request), 'no')
  settle(a, b)
  t.same(b.mailbox, [])
  t.match(a.edge.stats(), { sent: 1, refused: 1, notClonable: 1, underWay: 0 })
  t.end()
})

t.test('a message that cannot be copied is tried once more when it could be made plainer', t => {
  for (const value of [unreadable, () => {}]) {
    const tried: unknown[] = []
    const { a, b } = createWorld({
      simplify: message => {
        if (message.to !== 'kernel' || tried.includes(message)) return false
        tried.push(message)
        Object.assign(message, { event: { type: 'plainer', number: 7 } })
        return true
      },
    })
    for (const to of ['kernel', 'actor']) {
      const message = numbered(1, { to })
      a.edge.post(Object.assign(message, { event: { ...message.event, value } }))
    }
    settle(a, b)
    t.same(numbers(b.mailbox), [7])
    t.same(
      a.refusals.map(({ message }) => message.to),
      ['actor'],
    )
    t.match(a.edge.stats(), { sent: 1, notClonable: 1 })
  }
  t.end()
})

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Posts a reply of which the caller keeps nothing. */
function postLarge(edge: Edge): WeakRef<object> {
  const value = { large: true }
  edge.reply(1, { status: 'ok', value })
  return new WeakRef(value)
}

t.test('what the other side has read is let go with the next batch', async t => {
  const { a, b } = createWorld()
  const held = postLarge(a.edge)
  a.tick()
  collect()
  t.ok(held.deref(), 'it may have to be posted again')
  settle(a, b)
  a.edge.post(numbered(1))
  a.tick()
  await new Promise(resolve => setImmediate(resolve))
  collect()
  t.equal(held.deref(), undefined)
})

t.test('where all that follows goes by itself, at once, it is let go sixteen batches later', async t => {
  const { a, b } = createWorld()
  const held = postLarge(a.edge)
  for (let number = 1; number <= 16; number++) {
    a.tick()
    settle(a, b)
    a.edge.reply(number, { status: 'ok', value: number }, true)
  }
  await new Promise(resolve => setImmediate(resolve))
  collect()
  t.equal(held.deref(), undefined)
})
