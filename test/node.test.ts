/** A node, as the command starts it. */
import t, { type Test } from 'tap'
import { createEventClient } from '../src/index.ts'
import { createLogger } from '../src/logger.ts'
import { logOperation } from '../src/messages/index.ts'
import { runNode } from '../src/node.ts'
import { newFolder } from './protocols/message-log/sqlite-world.ts'
import { connectLog } from './services/fixtures/log-connection.ts'
import { newTopic } from './services/fixtures/served-log.ts'

async function startNode(t: Test, data: string) {
  const logger = createLogger({ level: 'silent' })
  const node = await runNode({ host: '127.0.0.1', port: 0, logPort: 0, data, shards: 2, logger })
  t.teardown(() => node.stop())
  return node
}

t.test('a node serves events over TCP and UDP at one port, and says so', async t => {
  const node = await startNode(t, newFolder(t))
  t.match(node.listening, [
    { name: 'events (TCP)', address: /^127\.0\.0\.1:\d+$/ },
    { name: 'events (UDP)', address: node.listening[0]!.address, accept: /socket/ },
    { name: 'message log', address: /^127\.0\.0\.1:\d+$/ },
  ])
  const servers = [node.listening[0]!.address]
  await using tcp = createEventClient({ servers })
  await using udp = createEventClient({ servers, transport: 'udp' })
  for (const client of [tcp, udp]) t.equal(String(await client.echo('hi')), 'hi')
})

t.test('a node keeps its message log in a folder, and keeps others out of it', async t => {
  const data = newFolder(t)
  const first = await startNode(t, data)
  const portOf = ({ listening }: typeof first) => Number(listening[2]!.address.split(':')[1])
  const client = await connectLog(portOf(first))
  await newTopic(client, 'orders', 2)
  const message = `another node has the folder ${data} open: stop it, or choose another folder with --data`
  await t.rejects(startNode(t, data), { code: 'STORAGE_FAILED', message })
  client.socket.destroy()
  await first.stop()
  const second = await startNode(t, data)
  const next = await connectLog(portOf(second))
  t.match(await next.do(logOperation.listTopics, {}), { topics: [{ name: 'orders', partitions: [1, 2] }] })
  next.socket.destroy()
})
