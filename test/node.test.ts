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
  for (const transport of ['tcp', 'udp'] as const) {
    await using client = createEventClient({ servers: [node.listening[0]!.address], transport })
    t.equal(String(await client.echo(transport)), transport)
  }
})
