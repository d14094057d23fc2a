/** Sends events over an edge in a process that may not generate code; ends with code 0 when they arrive as they were. */
import { deepStrictEqual, throws } from 'node:assert/strict'
import { type AnyEvent, createEnvelope } from '../../../../src/messages/thread/envelope.ts'
import { createWorld, settle } from './fake-world.ts'

throws(() => new Function(''), EvalError)
const events: AnyEvent[] = [0, 1, 2].map(number => ({ number, type: 'x', 'a key': { nested: [number] } }))
const { a, b } = createWorld()
for (const event of events) a.edge.post(createEnvelope({ to: 'x', event }))
settle(a, b)
deepStrictEqual(
  b.mailbox.map(({ event }) => event),
  events,
)
deepStrictEqual(Object.keys(b.mailbox[2]!.event), ['number', 'type', 'a key'])
