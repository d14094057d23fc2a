import assert from 'node:assert/strict'
import { createLogger, createSystem, isStarfishError } from 'starfish-net'
import { createChaos } from 'starfish-net/chaos'
import { till } from './till.ts'

await using system = await createSystem({ shards: 2, logger: createLogger({ level: 'silent' }) })
const chaos = createChaos(system)
const near = await system.spawn(till, { id: 'till/near', shard: 0 })
const far = await system.spawn(till, { id: 'till/far', shard: 1, restore: 'snapshot' })
const pay = (to: typeof far, cents: number) => to.ask({ type: 'till.pay', cents }, { timeoutMs: 5_000 })
const read = (of: typeof far) => of.ask({ type: 'till.read' }, { timeoutMs: 5_000 })
await pay(near, 500)
assert.equal(await pay(far, 700), 700)

// 1. A request that is in hand when its actor dies is settled all the same.
const closing = far.ask({ type: 'till.close' }, { timeoutMs: 5_000 }).catch((error: unknown) => error)
await read(far)
const exit = await chaos.kill(far)
const error = await closing
assert(isStarfishError(error, 'ACTOR_DIED'))
console.log(`${exit.address}, incarnation ${exit.incarnation}: ${exit.reason.type}; handled: ${error.handled}`)
assert.equal(error.handled, 'unknown')
assert.equal(await read(far), 700)

// 2. A dead worker thread is replaced, and what lived there is started again.
using shards = system.inspect({ kinds: ['shard'] })
await shards.ready
const killedAtMs = performance.now()
const lost = await chaos.kill({ shard: 1 })
for await (const fact of shards) if (fact.kind === 'shard' && fact.state === 'up') break
const cents = await read(far)
console.log(`shard ${lost.shard} ${lost.reason.type}; back after ${Math.round(performance.now() - killedAtMs)} ms`)
console.log(`the far till goes on with ${cents} cents, incarnation ${(await far.inspect())?.incarnation}`)
assert.equal(cents, 700)

// 3. The other shard never noticed.
assert.equal((await near.inspect())?.incarnation, 1)
assert.equal(await read(near), 500)
console.log('the near till never noticed')
