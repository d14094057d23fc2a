import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createLogClient, isStarfishError, jetstreamLogEngine } from 'starfish-net'
import { startNats } from './nats.ts'

const nodeProgram = fileURLToPath(new URL('node.ts', import.meta.url))

await using nats = await startNats()
const missing =
  nats === undefined ? 'there is no nats-server here: apt-get install nats-server' : await lackOf(nats.address)
if (nats === undefined || missing !== undefined) console.log(`skipped: ${missing}`)
else await showTwoNodes(nats.address)

async function showTwoNodes(address: string): Promise<void> {
  // 1. Two nodes, each a process of its own, which serve the same log.
  const nodes = [0, 1].map(() => fork(nodeProgram, [address]))
  const brokers: string[] = await Promise.all(nodes.map(async node => (await once(node, 'message'))[0]))
  await using client = createLogClient({ brokers })
  await client.createTopic('orders', 2)
  for (const broker of brokers) {
    await using one = createLogClient(broker)
    console.log(`a node has the topics: ${(await one.listTopics()).map(({ name }) => name)}`)
  }

  // 2. Messages go through both, and one is killed in the middle. What got no answer is sent again under the same sequence, to the
  // other node: that one knows by what lies in JetStream whether it was stored.
  const workers = 20
  const messages = 50
  let stored = 0
  const producer = client.producer()
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (let index = 0; index < messages; index++) {
        await producer.send({ topic: 'orders', messages: [{ key: `worker ${worker}`, value: `${worker}/${index}` }] })
        if (++stored === (workers * messages) / 4) nodes[0]?.kill('SIGKILL')
      }
    }),
  )
  console.log(`${stored} messages acknowledged, though a node was killed: ${nodes[0]?.killed}`)

  // 3. All of them are there, each once, and those of a worker in the order in which it sent them.
  const found = new Map<string, number>()
  await using consumer = client.consumer({ topic: 'orders', from: 'start' })
  for await (const { key, value } of consumer) {
    const expected = found.get(String(key)) ?? 0
    assert.equal(String(value), `${String(key).slice('worker '.length)}/${expected}`)
    found.set(String(key), expected + 1)
    if ([...found.values()].reduce((sum, count) => sum + count, 0) === stored) break
  }
  assert([...found.values()].every(count => count === messages))
  for (const partition of (await client.listTopics())[0]?.partitions ?? []) stored -= await client.getOffset(partition)
  assert.equal(stored, 0)
  console.log('the other node has them all, each once and in order')

  await client.close()
  nodes[1]?.disconnect()
  await once(nodes[1]!, 'exit')
}

/** What the engine says is not installed; undefined when nothing is missing. */
async function lackOf(servers: string): Promise<string | undefined> {
  try {
    await jetstreamLogEngine.opener.probe?.({ servers })
    return undefined
  } catch (error) {
    if (isStarfishError(error, 'BAD_CONFIG')) return error.message
    throw error
  }
}
