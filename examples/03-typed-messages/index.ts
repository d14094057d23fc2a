import assert from 'node:assert/strict'
import { createSystem, isStarfishError } from 'starfish-net'
import { type Reading, thermostat } from './thermostat.ts'

await using system = await createSystem({ shards: 2 })
const hall = await system.spawn(thermostat, { id: 'hall', input: { target: 20 } })

// Commands are sent; requests are asked, and the reply has the type that the event union declares.
hall.send({ type: 'thermostat.sense', celsius: 17 })
const reading: Reading = await hall.ask({ type: 'thermostat.read' }, { timeoutMs: 1_000 })
console.log(`${reading.celsius} degrees, ${reading.heats ? 'heating' : 'not heating'}`)
assert.deepEqual(reading, { celsius: 17, heats: true })

// A reply may come later: the chart keeps the token of the request until it knows the answer.
const warm = hall.ask({ type: 'thermostat.await' }, { timeoutMs: 5_000 })
for (const celsius of [18, 19, 21]) hall.send({ type: 'thermostat.sense', celsius })
const { reachedAt } = await warm
console.log(`warm at ${reachedAt} degrees`)
assert.equal(reachedAt, 21)

// None of these compiles, so none of them can happen; the function is never called.
export function mistakes(): void {
  // @ts-expect-error a command that the union does not have
  hall.send({ type: 'thermostat.explode' })
  // @ts-expect-error a field of the wrong type
  hall.send({ type: 'thermostat.set', celsius: '20' })
  // @ts-expect-error a request that is sent: its reply would be lost
  hall.send({ type: 'thermostat.read' })
  // @ts-expect-error a command that is asked: nobody would answer
  void hall.ask({ type: 'thermostat.set', celsius: 20 }, { timeoutMs: 1 })
  // @ts-expect-error a request without a deadline
  void hall.ask({ type: 'thermostat.read' })
  // @ts-expect-error an actor that is not given its input
  void system.spawn(thermostat, { id: 'cellar' })
}

// What types cannot know, an error says: it has a code, names the culprit, and tells whether the request was handled.
const error = await system
  .ref(thermostat, 'attic')
  .ask({ type: 'thermostat.read' }, { timeoutMs: 1_000 })
  .catch((reason: unknown) => reason)
assert(isStarfishError(error, 'NO_SUCH_ACTOR'))
console.log(`${error.code}: ${error.message} (handled: ${error.handled})`)
assert.equal(error.handled, 'no')
