import assert from 'node:assert/strict'
import { child, createLogger, createSystem } from 'starfish-net'
import { greeter } from './greeter.ts'

await using system = await createSystem({ shards: 2, logger: createLogger({ level: 'silent' }) })
await using tree = await system.supervise({
  id: 'hall',
  strategy: 'one_for_one',
  children: [child(greeter, { id: 'greeter' })],
})
const host = system.ref(greeter, 'hall/greeter')
const greet = (name: string) => host.ask({ type: 'greeter.greet', name }, { timeoutMs: 1_000 })

console.log(await greet('Ada'))
assert.equal(await greet('Grace'), 'hello Grace, you are number 2')

const { promise: ended, resolve } = Promise.withResolvers<string>()
system.watch(host, ({ incarnation, reason }) => resolve(`incarnation ${incarnation} ended: ${reason.type}`))
host.send({ type: 'greeter.insult' })
console.log(await ended)
assert.equal(await ended, 'incarnation 1 ended: threw')

// A request may come before the next incarnation is there: it waits. The new greeter counts from the beginning.
const afterwards = await greet('Alan')
console.log(afterwards)
assert.equal(afterwards, 'hello Alan, you are number 1')

const [entry] = await tree.whichChildren()
console.log(`the supervisor ${tree.address} started ${entry?.id} again`)
