/** TLS belongs to the acceptor: the same protocol behind it, client certificates, and handshakes that never end. */
import { type AddressInfo, connect, createServer } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import t from 'tap'
import { resolveAcceptorInput } from '../../../src/actors/acceptor/config.ts'
import { createServerCounters } from '../../../src/actors/acceptor/counters.ts'
import { handoffListenerIo } from '../../../src/actors/acceptor/handoff.ts'
import { acceptorIo } from '../../../src/actors/acceptor/io.ts'
import { acceptorMachine } from '../../../src/actors/acceptor/machine.ts'
import { checkTls } from '../../../src/actors/acceptor/tls.ts'
import { createConnections } from '../../../src/actors/connection/connections.ts'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { protocolReference } from '../../../src/actors/serving/protocol.ts'
import { encodeEventRequest } from '../../../src/messages/index.ts'
import { createFaults } from '../../../src/messages/option-faults.ts'
import type { EventCall, LateAnswer } from '../../../src/protocols/event/event-call.ts'
import { eventProtocol } from '../../../src/protocols/event/event-protocol.ts'
import { startEventShard, until } from '../connection/event-shard.ts'
import { wrapClient } from './event-client.ts'
import { startTestActor } from './test-actor.ts'
import { certificate, privateKey } from './test-certificate.ts'

const tls = { cert: certificate, key: privateKey }
const hello = encodeEventRequest({ sessionId: 7, body: Buffer.alloc(40_000, 3) })

function secure(port: number, more = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: certificate, ...more }, () => resolve(socket))
    socket.once('error', reject)
  })
}

t.test('requests behind TLS are served, pipelined, and ended by FIN', async t => {
  const shard = await startEventShard(t, { tls })
  const client = wrapClient(await secure(shard.port, { allowHalfOpen: true }))
  for (let index = 0; index < 50; index++) client.write(hello)
  client.socket.end()
  for (let index = 0; index < 50; index++) t.equal((await client.response()).body.length, 40_000)
  t.equal(await client.closed(), 'end')
  await shard.states()
})

t.test('a handshake that does not end in time is cut off, and one in a drain at once', async t => {
  const shard = await startEventShard(t, { tls })
  const silent = connect(shard.port, '127.0.0.1')
  await shard.states('handshaking')
  await shard.clock.advance(9_900)
  await shard.states('handshaking')
  await shard.clock.advance(200)
  await shard.states()
  const other = connect(shard.port, '127.0.0.1')
  await shard.states('handshaking')
  void shard.server.drain()
  await shard.states()
  for (const socket of [silent, other]) socket.destroy()
})

t.test('bytes that are not TLS, and a client that goes away, leave nothing behind', async t => {
  const shard = await startEventShard(t, { tls })
  const plain = wrapClient(connect(shard.port, '127.0.0.1'))
  plain.write(hello)
  await plain.closed()
  await shard.states()
  const gone = connect(shard.port, '127.0.0.1')
  await shard.states('handshaking')
  gone.resetAndDestroy()
  await shard.states()
  t.equal(shard.figures.connections, 0)
})

/** The first flight of a client. */
function clientHello(): Promise<Buffer> {
  return new Promise(resolve => {
    const listener = createServer(socket => {
      socket.once('data', (hello: Buffer) => {
        listener.close()
        resolve(hello)
        socket.destroy()
      })
    }).listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as AddressInfo
      connectTls({ port, host: '127.0.0.1' }).on('error', () => {})
    })
  })
}

t.test('a client that ends its side before its handshake is done costs nothing from then on', async t => {
  const shard = await startEventShard(t, { tls })
  const hello = await clientHello()
  for (const [index, bytes] of [Buffer.alloc(0), hello.subarray(0, 100), hello].entries()) {
    const gone = connect(shard.port, '127.0.0.1', () => gone.end(bytes))
    gone.resume()
    await until(() => shard.figures.accepted > index)
    await shard.states()
    t.equal(shard.figures.connections, 0, `${bytes.length} bytes`)
    await new Promise(resolve => gone.once('close', resolve))
  }
  t.same(shard.figures.refusals.handshakesLate, 0)
})

t.test('a client that ends its side after its request still has its answer', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { tls, commands })
  const client = wrapClient(await secure(shard.port, { allowHalfOpen: true }))
  client.socket.end(encodeEventRequest({ command: 100 }))
  await shard.states('finishing')
  late[0]!.answer(Buffer.alloc(5))
  t.equal((await client.response()).status, 0)
  t.equal(await client.closed(), 'end')
})

t.test('the connection over the limit is told so behind TLS', async t => {
  const shard = await startEventShard(t, { tls, limits: { connectionsMax: 1 } })
  const first = await secure(shard.port)
  const second = wrapClient(await secure(shard.port))
  second.write(encodeEventRequest({ sessionId: 3 }))
  const answer = await second.response()
  t.same([answer.status, answer.sessionId], [6, 3])
  first.destroy()
})

t.test('with authorities a client without their certificate is not served', async t => {
  const shard = await startEventShard(t, { tls: { ...tls, ca: certificate } })
  const stranger = wrapClient(connectTls({ port: shard.port, host: '127.0.0.1', ca: certificate }))
  stranger.write(hello)
  await stranger.closed()
  await shard.states()
  const known = wrapClient(await secure(shard.port, tls))
  known.write(hello)
  t.equal((await known.response()).status, 0)
  known.socket.destroy()
})

t.test('sockets that were handed over do their handshake on the shard', async t => {
  const clock = createVirtualClock()
  const input = resolveAcceptorInput(
    { port: 0, accept: 'handoff', tls, protocol: protocolReference(eventProtocol, {}) },
    { shards: 1, platform: 'linux', handoff: { threadId: 0, listener: 'tls' }, counters: createServerCounters(1, 1) },
  )
  const listener = startTestActor(acceptorMachine, handoffListenerIo, input, { clock })
  await listener.reached('listening')
  const acceptor = startTestActor(acceptorMachine, acceptorIo(createConnections), input, { clock })
  await acceptor.reached('listening')
  const client = wrapClient(await secure(acceptor.context.port!))
  client.write(hello)
  t.equal((await client.response()).status, 0)
  client.socket.destroy()
  for (const actor of [acceptor, listener]) await actor.stop()
  await until(() => true)
})

t.test('certificates that cannot be used are refused before anything listens', async t => {
  const faults = createFaults()
  checkTls(tls, faults)
  t.equal(faults.none, true)
  checkTls({ ...tls, key: 'nothing' }, faults)
  t.throws(() => faults.throwIfAny('BAD_CONFIG', 'it'), { code: 'BAD_CONFIG', details: { option: 'tls' } })
})
