import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogClient } from 'starfish-net'

const folder = mkdtempSync(join(tmpdir(), 'starfish-log-'))
let { server, port } = await startServer(0)

await using client = createLogClient(`127.0.0.1:${port}`)
const { partitions } = await client.createTopic('orders', 3)
await using producer = client.producer()
await using consumer = client.consumer({ topic: 'orders' })

// 1. Messages of one key go to one partition, in the order in which they were sent.
const sent = await producer.send({
  topic: 'orders',
  messages: ['created', 'paid', 'shipped'].map(value => ({ key: 'order 1', value })),
})
assert.equal(new Set(sent.map(({ partition }) => partition)).size, 1)
console.log(`order 1: ${sent.length} messages, offsets ${sent.map(({ offset }) => offset).join(', ')}`)

// 2. A hundred customers send one message after the other, and a consumer reads along, while the server is killed, twice,
// and started again on the same file.
const customers = 100
const each = 100
const total = customers * each
const seen = new Map<number, string[]>(partitions.map(partition => [partition, []]))
let count = 0
const reading = consumer.eachBatch(async ({ partition, messages }) => {
  seen.get(partition)?.push(...messages.map(({ value }) => String(value)))
  count += messages.length
  if (count === total + sent.length) await consumer.close()
})
let acknowledged = 0
const kills = [0.3, 0.6].map(share => ({ at: share * total, due: Promise.withResolvers<void>() }))
const sending = Array.from({ length: customers }, async (_, customer) => {
  for (let n = 0; n < each; n++) {
    const value = `${n * customers + customer}`
    await producer.send({ topic: 'orders', messages: [{ key: `customer ${customer}`, value }] })
    acknowledged++
    for (const { at, due } of kills) if (acknowledged >= at) due.resolve()
  }
})
for (const { due } of kills) {
  await due.promise
  server.kill('SIGKILL')
  await once(server, 'exit')
  assert(acknowledged < total)
  console.log('the server was killed while messages were under way')
  ;({ server, port } = await startServer(port))
}
await Promise.all(sending)
await reading

// 3. Every message was acknowledged, is there once, and was read once, in the order of its key.
const values = [...seen.values()].flat()
assert.equal(values.length, total + sent.length)
assert.equal(new Set(values).size, values.length)
for (const inPartition of seen.values()) {
  const last = new Map<number, number>()
  for (const value of inPartition.map(Number).filter(value => !Number.isNaN(value))) {
    const customer = value % customers
    assert((last.get(customer) ?? -1) < value)
    last.set(customer, value)
  }
}
const ends = await Promise.all(partitions.map(partition => client.getOffset(partition)))
assert.deepEqual(
  ends,
  partitions.map(partition => seen.get(partition)?.length),
)
console.log(`${total} messages over two kills: each acknowledged, stored once, read once, in order`)

// 4. From any offset on, with the lag.
const { partition: paidIn, offset: paidAt } = sent[1]!
await using again = client.consumer({ topic: 'orders', partitions: [paidIn], from: { [paidIn]: paidAt } })
for await (const { offset, value } of again) {
  const [{ lag } = {}] = again.stats()
  console.log(`offset ${offset} again: ${value}`)
  assert.equal(String(value), 'paid')
  assert.equal(lag, ends[partitions.indexOf(paidIn)]! - offset - 1)
  break
}
await client.close()
server.disconnect()
await once(server, 'exit')
rmSync(folder, { recursive: true })

/** A server on a port, 0 for any. */
async function startServer(wanted: number): Promise<{ server: ChildProcess; port: number }> {
  const path = join(folder, 'log.db')
  const child = fork(new URL('./server.ts', import.meta.url), [`${wanted}`, path])
  const [bound] = await once(child, 'message')
  return { server: child, port: Number(bound) }
}
