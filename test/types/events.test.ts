/** Where any event is taken one with fields can be written down, and what is no event is a compile error; tsc checks it. */
import t from 'tap'
import { type ActorRuntime, type CommandContext, createSystem, type Group } from '../../src/index.ts'
import { counter } from '../supervisor/fixtures/counter.ts'
import { quiet } from '../supervisor/fixtures/local-system.ts'

/** Compiled, and not run. */
function never(_work: (group: Group, runtime: ActorRuntime, context: CommandContext) => unknown): void {}

const soon = { timeoutMs: 1_000 }

never(group => group.broadcast({ type: 'chat.said', text: 'hi' }))
never((_, runtime) => runtime.feed({ type: 'chat.said', text: 'hi' }))
never((_, runtime) => runtime.send('a', { type: 'chat.said', text: 'hi' }))
never((_, runtime) => runtime.ask('a', { type: 'chat.ask', text: 'hi' }, soon))
never((_, _runtime, context) => context.send('a', { type: 'chat.said', text: 'hi' }))
never((_, _runtime, context) => context.ask('a', { type: 'chat.ask', text: 'hi' }, soon))
// @ts-expect-error an event has a type
never(group => group.broadcast({ text: 'hi' }))
// @ts-expect-error which is a string
never((_, runtime) => runtime.feed({ type: 7, text: 'hi' }))
// @ts-expect-error an event is no string
never((_, runtime) => runtime.send('a', 'chat.said'))
// @ts-expect-error a deadline is a must
never((_, runtime) => runtime.ask('a', { type: 'chat.ask', text: 'hi' }))
// @ts-expect-error the event comes behind the address
never((_, _runtime, context) => context.send({ type: 'chat.said', text: 'hi' }))

t.test('the fields of an event that is broadcast come to every member', async t => {
  await using system = await createSystem({ shards: 0, logger: quiet })
  const group = system.group('counters')
  const members = await Promise.all(['a', 'b'].map(id => system.spawn(counter, { id, input: { from: 1 } })))
  for (const member of members) group.join(member)
  t.equal(group.broadcast({ type: 'counter.add', by: 4 }), 2)
  for (const member of members) t.equal(await member.ask({ type: 'counter.read' }, soon), 5)
})
