/**
 * Records what the package's own client sends, as JSON:
 * `node test/protocols/event/streams/record-captures.ts > test/protocols/event/streams/captures.json`
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { createEventClient, createEventServer, createSystem, type EventClient } from '../../../../src/index.ts'

await using system = await createSystem({ shards: 0 })

/** What a client sends, to a server of that id, while it says all of this at once. */
async function record(raidaId: number, say: (client: EventClient) => readonly Promise<unknown>[]): Promise<string> {
  await using server = createEventServer(system, { port: 0, raidaId })
  const { port } = await server.start()
  const sent: Buffer[] = []
  const tap = createServer(socket => {
    const upstream = connect(port, '127.0.0.1')
    socket.on('data', (chunk: Buffer) => sent.push(chunk)).pipe(upstream)
    upstream.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(tap, 'listening')
  const client = createEventClient({
    host: '127.0.0.1',
    port: (tap.address() as AddressInfo).port,
    raidaId,
    pool: { connectionsPerServer: 1 },
  })
  // Commands that this server does not know are refused; what was sent counts.
  await Promise.allSettled(say(client))
  await client.close()
  tap.close()
  await once(tap, 'close')
  return Buffer.concat(sent).toString('hex')
}

const captures = {
  greeting: await record(0, client => [client.ping()]),
  echoes: await record(0, client => ['a', 'bc', '', 'd'.repeat(70)].map(body => client.echo(body))),
  commands: await record(0, client => [0, 1, 2, 2, 2, 3, 4, 2, 0].map(command => client.request(command, 'body'))),
  pipeline: await record(0, client => Array.from({ length: 24 }, (_, index) => client.request(index % 3, `${index}`))),
  large: await record(0, client => [client.echo(Buffer.alloc(2_000, 1)), client.ping()]),
  numbered: await record(7, client => [client.ping(), ...[2, 2, 2, 0].map(each => client.request(each, 'for seven'))]),
}
process.stdout.write(`${JSON.stringify(captures, null, 2)}\n`)
