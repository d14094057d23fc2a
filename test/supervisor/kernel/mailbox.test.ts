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

t.test('the oldest gives way among those that wait, not among those put aside', async t => {
  const mailbox = new Mailbox({ messagesMax: 2, overflow: 'drop_oldest' })
  for (const type of ['a', 'b']) mailbox.put(envelope(type))
  mailbox.postpone(mailbox.take()!)
  t.equal(mailbox.put(envelope('c'))?.event.type, 'b')
  mailbox.postpone(mailbox.take()!)
  t.equal(mailbox.put(envelope('d'))?.event.type, 'd', 'nothing waits')
})

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
