import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import type { LinkOwner } from '../../../src/services/clients/link.ts'
import { PendingRequest } from '../../../src/services/clients/pending-request.ts'
import { StreamLink, type StreamSession } from '../../../src/services/clients/stream-link.ts'

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

t.test('much that is sent in one tick begins to leave before its end, little at its end', async t => {
  const server = createServer(socket => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let opened = () => {}
  let released = () => {}
  const whenOpened = new Promise<void>(resolve => {
    opened = resolve
  })
  const whenReleased = new Promise<void>(resolve => {
    released = resolve
  })
  const owner: LinkOwner<Byte> = {
    opened,
    heard: () => {},
    answered: () => t.fail('an answer'),
    failed: () => t.fail('an error'),
    refused: () => t.fail('a refusal'),
    settled: () => {},
    emptied: () => {},
    ended: () => t.fail('an end'),
    released,
  }
  const options = { tls: undefined, keepAliveIdleMs: 60_000, outputHighWaterBytes: 65_536 }
  const link = new StreamLink({ host: '127.0.0.1', port }, new Bytes(), owner, options)
  await whenOpened
  for (let sent = 0; sent < 10; sent++) link.send(new Byte())
  await new Promise<void>(resolve => process.nextTick(resolve))
  for (let sent = 0; sent < 600; sent++) link.send(new Byte())
  link.destroy()
  const mayHaveLeft: boolean[] = []
  link.drain((_, wasWritten) => mayHaveLeft.push(wasWritten))
  await whenReleased
  t.equal(mayHaveLeft.indexOf(false), 10 + 512)
  t.equal(mayHaveLeft.lastIndexOf(true), 10 + 511)
  t.equal(mayHaveLeft.length, 610)
})
