import assert from 'node:assert/strict'
import { scryptSync } from 'node:crypto'
import { createEventClient, createEventServer, createLogger, createSystem, isStarfishError } from 'starfish-net'
import { createChaos } from 'starfish-net/chaos'
import { command, commands } from './commands.ts'

await using system = await createSystem({ shards: 2, logger: createLogger({ level: 'silent' }) })
await using server = createEventServer(system, { port: 0, commands, pool: { threads: 1 } })
const { host, port } = await server.start()
await using tcp = createEventClient({ host, port })
await using udp = createEventClient({ host, port, transport: 'udp' })

// 1. The same commands over both.
for (const [name, client] of Object.entries({ tcp, udp })) {
  const { body } = await client.request(command.upper, `hello over ${name}`)
  console.log(String(body))
  assert.equal(String(body), `HELLO OVER ${name.toUpperCase()}`)
}

// 2. What computes runs in the task pool; what does not goes on meanwhile. A connection answers in the order of its requests,
// so the slow ones have connections of their own.
await using slow = createEventClient({ host, port })
const words = ['one', 'two', 'three', 'four', 'five', 'six']
const sealing = Promise.all(words.map(word => slow.request(command.seal, word)))
let beside = 0
for (const until = sealing.then(() => true); !(await Promise.race([until, tick()])); beside++) await tcp.echo('quick')
const seals = await sealing
assert.deepEqual(
  seals.map(({ body }) => Buffer.from(body)),
  words.map(word => scryptSync(word, 'sea salt', 32, { N: 16_384 })),
)
console.log(`${words.length} sealed in the pool, echoes went on beside them: ${beside > words.length}`)
assert(beside > words.length)

// 3. A failure says what kind it is, and whether the command may have been handled.
const refused = await slow.request(command.seal).catch((error: unknown) => error)
assert(isStarfishError(refused))
console.log(`${refused.code}, handled: ${refused.handled}`)

// 4. A shard dies under load. Echoes can be repeated, so the client does.
const chaos = createChaos(system)
const echoes = Array.from({ length: 200 }, (_, index) => tcp.echo(`${index}`))
await chaos.kill({ shard: 0 })
const answers = await Promise.all(echoes)
assert(answers.every((answer, index) => String(answer) === `${index}`))
console.log('200 echoes answered over the death of a shard')

// 5. All shards are replaced, one after the other; each answers first what it has accepted.
let asked = 0
const rolled = system.rollingRestart().then(() => true)
while (!(await Promise.race([rolled, tick()]))) asked += (await Promise.all(words.map(word => tcp.echo(word)))).length
console.log(`a rolling restart of all shards: ${asked > 0 ? 'every request answered' : 'nothing was asked'}`)
assert(asked > 0)

/** A turn of the event loop. */
function tick(): Promise<false> {
  return new Promise(resolve => setImmediate(resolve, false))
}
