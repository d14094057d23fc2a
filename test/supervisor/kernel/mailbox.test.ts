import t from 'tap'
import { createEnvelope, type Envelope } from '../../../src/messages/thread/envelope.ts'
import { Mailbox, resolveMailboxOptions } from '../../../src/supervisor/kernel/mailbox.ts'

function envelope(type: string, lane: Envelope['lane'] = 'normal', atMs = 0): Envelope {
  return { ...createEnvelope({ to: 'a', event: { type }, lane }), admittedAtMs: atMs }
}

function drained(mailbox: Mailbox): string[] {
  const types: string[] = []
  for (let next = mailbox.take(); next !== undefined; next = mailbox.take()) types.push(next.event.type)
  return types
}

function filled(
  overflow: 'reject' | 'drop_oldest' | 'drop_newest',
  ...types: string[]
): [Mailbox, (string | undefined)[]] {
  const mailbox = new Mailbox({ messagesMax: 2, overflow })
  return [mailbox, types.map(type => mailbox.put(envelope(type))?.event.type)]
}

t.test('a full mailbox rejects the newcomer, or gives up what its policy names', async t => {
  for (const [overflow, refused, left] of [
    ['reject', [undefined, undefined, 'c', 'd'], ['a', 'b']],
    ['drop_newest', [undefined, undefined, 'b', 'c'], ['a', 'd']],
    ['drop_oldest', [undefined, undefined, 'a', 'b'], ['c', 'd']],
  ] as const) {
    const [mailbox, answers] = filled(overflow, 'a', 'b', 'c', 'd')
    t.same(answers, refused, overflow)
    t.same(drained(mailbox), left, overflow)
  }
})

t.test('control is served first and has room in a full mailbox', async t => {
  const [mailbox] = filled('reject', 'a', 'b')
  t.equal(mailbox.put(envelope('x', 'control')), undefined)
  t.equal(mailbox.put(envelope('y', 'control')), undefined)
  t.equal(mailbox.depth, 2)
  t.equal(mailbox.ready, 4)
  t.same(drained(mailbox), ['x', 'y', 'a', 'b'])
})

t.test('what was postponed counts against the capacity and comes back first, in order of arrival', async t => {
  const mailbox = new Mailbox({ messagesMax: 4, overflow: 'reject' })
  for (const type of ['a', 'b', 'c', 'd']) mailbox.put(envelope(type))
  mailbox.postpone(mailbox.take()!)
  mailbox.postpone(mailbox.take()!)
  t.equal(mailbox.ready, 2)
  t.equal(mailbox.put(envelope('e'))?.event.type, 'e', 'there is no more room than before')
  t.ok(mailbox.hasPostponed)
  mailbox.resume()
  t.notOk(mailbox.hasPostponed)
  mailbox.postpone(mailbox.take()!)
  mailbox.resume()
  t.same(drained(mailbox), ['a', 'b', 'c', 'd'])
})

for (const [overflow, gaveWay, left] of [
  ['drop_oldest', ['a', 'b', 'c', 'd', 'e', 'f'], ['g', 'h', 'i', 'j', 'k', 'l']],
  ['drop_newest', ['f', 'g', 'h', 'i', 'j', 'k'], ['a', 'b', 'c', 'd', 'e', 'l']],
] as const) {
  t.test(`what was put aside, or has come back, gives way by its age as all that waits (${overflow})`, async t => {
    const mailbox = new Mailbox({ messagesMax: 6, overflow })
    for (const type of ['a', 'b', 'c', 'd', 'e', 'f']) mailbox.put(envelope(type))
    // a and b are put aside, c and d have come back, e and f have not been taken: each is the oldest, and newest, in turn.
    for (let left = 4; left > 0; left--) mailbox.postpone(mailbox.take()!)
    mailbox.resume()
    for (let left = 2; left > 0; left--) mailbox.postpone(mailbox.take()!)
    t.same(
      ['g', 'h', 'i', 'j', 'k', 'l'].map(type => mailbox.put(envelope(type))?.event.type),
      gaveWay,
    )
    mailbox.resume()
    t.same(drained(mailbox), left)
  })

  t.test(`a full mailbox that holds nothing but what was put aside takes the newcomer (${overflow})`, async t => {
    const mailbox = new Mailbox({ messagesMax: 2, overflow })
    for (const type of ['a', 'b']) mailbox.put(envelope(type))
    for (let left = 2; left > 0; left--) mailbox.postpone(mailbox.take()!)
    t.equal(mailbox.put(envelope('c'))?.event.type, overflow === 'drop_oldest' ? 'a' : 'b')
    mailbox.resume()
    t.same(drained(mailbox), [overflow === 'drop_oldest' ? 'b' : 'a', 'c'])
  })

  t.test(`a control message that was put aside takes no room and never gives way (${overflow})`, async t => {
    const mailbox = new Mailbox({ messagesMax: 1, overflow })
    for (const type of ['x', 'y']) {
      mailbox.put(envelope(type, 'control'))
      mailbox.postpone(mailbox.take()!)
    }
    t.equal(mailbox.depth, 0)
    t.equal(mailbox.put(envelope('a')), undefined)
    mailbox.postpone(mailbox.take()!)
    t.equal(mailbox.put(envelope('b'))?.event.type, 'a')
    mailbox.resume()
    t.same(drained(mailbox), ['x', 'y', 'b'])
    t.equal(mailbox.depth, 0)
  })
}

t.test('drain gives everything out in the order in which it would have been served', async t => {
  const mailbox = new Mailbox({ messagesMax: 9, overflow: 'reject' })
  for (const type of ['a', 'b']) mailbox.put(envelope(type))
  mailbox.postpone(mailbox.take()!)
  mailbox.put(envelope('x', 'control'))
  t.same(
    mailbox.drain().map(({ event }) => event.type),
    ['x', 'a', 'b'],
  )
  t.equal(mailbox.depth + mailbox.ready, 0)
})

t.test('the age is that of the oldest message that waits', async t => {
  const mailbox = new Mailbox({ messagesMax: 9, overflow: 'reject' })
  t.equal(mailbox.ageMs(100), 0)
  mailbox.put(envelope('a', 'normal', 40))
  mailbox.put(envelope('b', 'normal', 90))
  t.equal(mailbox.ageMs(100), 60)
})

t.test('the spec of a child overrides its definition, which overrides the defaults', async t => {
  t.same(resolveMailboxOptions(undefined), { messagesMax: 1_000, overflow: 'reject' })
  t.same(resolveMailboxOptions({ messagesMax: 5, overflow: 'drop_oldest' }), {
    messagesMax: 5,
    overflow: 'drop_oldest',
  })
  t.same(resolveMailboxOptions({ messagesMax: 5 }, { messagesMax: 7, overflow: 'drop_newest' }), {
    messagesMax: 7,
    overflow: 'drop_newest',
  })
})
