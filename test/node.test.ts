/** A node, as the command starts it. */
import t from 'tap'
import { createEventClient } from '../src/index.ts'
import { createLogger } from '../src/logger.ts'
import { runNode } from '../src/node.ts'

t.test('a node serves events over TCP and UDP at one port, and says so', async t => {
  const node = await runNode({ host: '127.0.0.1', port: 0, shards: 2, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => node.stop())
  t.match(node.listening, [
    { name: 'events (TCP)', address: /^127\.0\.0\.1:\d+$/ },
    { name: 'events (UDP)', address: node.listening[0]!.address, accept: /socket/ },
  ])
  const servers = [node.listening[0]!.address]
  await using tcp = createEventClient({ servers })
  await using udp = createEventClient({ servers, transport: 'udp' })
  for (const client of [tcp, udp]) t.equal(String(await client.echo('hi')), 'hi')
})
