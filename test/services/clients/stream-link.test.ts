import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type ConnectionOptions, createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import type { LinkOwner } from '../../../src/services/clients/link.ts'
import { PendingRequest } from '../../../src/services/clients/pending-request.ts'
import { StreamLink, type StreamSession } from '../../../src/services/clients/stream-link.ts'
import { certificate, privateKey } from '../../actors/acceptor/test-certificate.ts'

class Byte extends PendingRequest {
  constructor() {
    super(
      1,
      { timeoutMs: 1_000, isIdempotent: true },
      () => {},
      () => {},
    )
  }

  describe(): string {
    return 'a byte'
  }
}

/** Writes bytes that nobody answers. */
class Bytes implements StreamSession<Byte> {
  readonly #written: Byte[] = []

  get inFlight(): number {
    return this.#written.length
  }

  write(request: Byte, target: Buffer, at: number): void {
    target[at] = 7
    this.#written.push(request)
  }

  read(): void {}

  drain(): Byte[] {
    return this.#written.splice(0)
  }
}

/** Connects a link; the promises settle when it is open, and when nothing is left of it. */
function connect(t: Test, port: number, tls?: ConnectionOptions) {
  const opened = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const owner: LinkOwner<Byte> = {
    opened: opened.resolve,
    heard: () => {},
    answered: () => t.fail('an answer'),
    failed: () => t.fail('an error'),
    refused: () => t.fail('a refusal'),
    settled: () => {},
    emptied: () => {},
    ended: () => t.fail('an end'),
    released: released.resolve,
  }
  const options = { tls, keepAliveIdleMs: 60_000, outputHighWaterBytes: 65_536 }
  const link = new StreamLink({ host: '127.0.0.1', port }, new Bytes(), owner, options)
  return { link, opened: opened.promise, released: released.promise }
}

async function portOf(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

t.test('much that is sent in one tick begins to leave before its end, little at its end', async t => {
  const port = await portOf(
    t,
    createServer(socket => socket.on('error', () => {}).resume()),
  )
  const { link, opened, released } = connect(t, port)
  await opened
  for (let sent = 0; sent < 10; sent++) link.send(new Byte())
  await new Promise<void>(resolve => process.nextTick(resolve))
  for (let sent = 0; sent < 1_000; sent++) link.send(new Byte())
  link.destroy()
  const mayHaveLeft: boolean[] = []
  link.drain((_, wasWritten) => mayHaveLeft.push(wasWritten))
  await released
  t.equal(mayHaveLeft.indexOf(false), 10 + 512)
  t.equal(mayHaveLeft.lastIndexOf(true), 10 + 511)
  t.equal(mayHaveLeft.length, 1_010)
})

const identity = { cert: certificate, key: privateKey }
const trust = { ca: certificate, servername: 'localhost' }

for (const transport of ['TCP', 'TLS'] as const) {
  t.test(`a server that owes an answer sees a reset when its client goes, over ${transport}`, async t => {
    const server = transport === 'TCP' ? createServer() : createTlsServer(identity)
    const taken = once(server, transport === 'TCP' ? 'connection' : 'secureConnection')
    const { link, opened, released } = connect(t, await portOf(t, server), transport === 'TCP' ? undefined : trust)
    await opened
    const [socket] = (await taken) as [Socket]
    const reset = once(socket, 'error')
    link.send(new Byte())
    t.same(await once(socket, 'data'), [Buffer.of(7)])
    link.destroy()
    t.match(await reset, [{ code: 'ECONNRESET' }])
    await released
  })

  t.test(`one that owes nothing sees a good end, over ${transport}`, async t => {
    const server = transport === 'TCP' ? createServer() : createTlsServer(identity)
    const taken = once(server, transport === 'TCP' ? 'connection' : 'secureConnection')
    const { link, opened, released } = connect(t, await portOf(t, server), transport === 'TCP' ? undefined : trust)
    await opened
    const [socket] = (await taken) as [Socket]
    const ended = once(socket.resume(), 'end')
    link.destroy()
    await Promise.all([ended, released])
  })

  t.test(`a link that is destroyed before it is open leaves nothing, over ${transport}`, async t => {
    const server = transport === 'TCP' ? createServer() : createTlsServer(identity)
    server.on('connection', socket => socket.on('error', () => {}))
    const { link, released } = connect(t, await portOf(t, server), transport === 'TCP' ? undefined : trust)
    link.send(new Byte())
    link.destroy()
    await released
  })
}
