/** One shard that serves the event protocol over a real UDP socket on virtual time, without actors, and senders to it. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'
import { fillUdpOptions, type UdpOptions, udpDefaults } from '../../../src/actors/datagram/config.ts'
import { createCookies } from '../../../src/actors/datagram/cookies.ts'
import { DatagramServer } from '../../../src/actors/datagram/datagram-server.ts'
import {
  createDatagramFigures,
  type DatagramFigures,
  openDatagramFigures,
  readDatagramFigures,
} from '../../../src/actors/datagram/figures.ts'
import { bindSocket, close } from '../../../src/actors/datagram/socket.ts'
import { createRandom, createVirtualClock, type VirtualClock } from '../../../src/actors/runtime/clock.ts'
import { serverLimitDefaults } from '../../../src/messages/limits.ts'
import { createFaults } from '../../../src/messages/option-faults.ts'
import { CommandRunner } from '../../../src/protocols/event/command-runner.ts'
import type { CommandTable } from '../../../src/protocols/event/commands.ts'
import { createEventDatagrams } from '../../../src/protocols/event/datagrams.ts'
import type { EventDialect } from '../../../src/protocols/event/dialect.ts'
import { type EventProtocolOptions, resolveEventOptions } from '../../../src/protocols/event/event-options.ts'
import { createTestRuntime, type TestRuntime } from '../acceptor/test-runtime.ts'
import { until } from '../connection/event-shard.ts'

/** The shard and what a test asks of it. */
export interface DatagramShard {
  readonly port: number
  readonly clock: VirtualClock
  readonly server: DatagramServer
  /** The socket that is served. */
  readonly socket: Socket
  readonly runtime: TestRuntime
  readonly figures: DatagramFigures
  /** A sender, at an address of this machine; gone when the test is over. */
  sender(address?: string): Promise<Sender>
}

/** Who sends datagrams to a shard. */
export interface Sender {
  readonly address: string
  readonly port: number
  /** Sends one and resolves when the shard has taken it. */
  send(bytes: Uint8Array): Promise<void>
  /** The oldest answer that has not been taken. */
  answer(): Promise<Buffer>
  /** Sends one and answers the answer. */
  ask(bytes: Uint8Array): Promise<Buffer>
  /** Sends one and answers whether no answer came until that of a ping which was sent after it. */
  isSilent(bytes: Uint8Array): Promise<boolean>
  /** Bytes and datagrams that it got. */
  readonly got: { bytes: number; datagrams: number }
}

/** Time of the virtual clock at the start, ms since the epoch: the middle of a period of cookies. */
export const startMs = 60_000 * 28_333_333 + 30_000

/** Starts a shard that ends with the test. */
export async function startDatagramShard(
  t: Test,
  options: {
    readonly udp?: UdpOptions
    readonly protocol?: EventProtocolOptions
    readonly table?: CommandTable
    readonly dialect?: EventDialect
    readonly secret?: Uint8Array
    readonly clock?: VirtualClock
  } = {},
): Promise<DatagramShard> {
  const { udp = {}, protocol: protocolOptions = {}, secret = Buffer.alloc(32, 's') } = options
  const { clock = createVirtualClock(startMs) } = options
  const runtime = createTestRuntime(clock, 0, () => {})
  const environment = {
    clock,
    random: createRandom(1),
    log: runtime.log,
    limits: serverLimitDefaults,
    actor: runtime,
  }
  const filled = fillUdpOptions(udp, udpDefaults, createFaults())
  const figures = createDatagramFigures(1)
  const { payloadBytesMax } = filled
  const runner = new CommandRunner(resolveEventOptions(protocolOptions), environment)
  const commands = options.table === undefined ? undefined : runner.all(options.table)
  const protocol = createEventDatagrams({ ...protocolOptions, payloadBytesMax }, environment, commands, options.dialect)
  const socket = await bindSocket({ host: '127.0.0.1', port: 0, reusePort: false, bufferBytes: 65_536 })
  const { port } = socket.address()
  const server = new DatagramServer({
    runtime,
    input: { ...filled, port },
    protocol,
    cookies: createCookies(secret, clock),
    figures: openDatagramFigures(figures, 0),
  })
  server.serve(socket)
  t.teardown(() => {
    server.abandon()
    close(socket)
  })
  const read = () => readDatagramFigures(figures)
  return {
    port,
    clock,
    server,
    socket,
    runtime,
    get figures() {
      return read()
    },
    sender: address => startSender(t, port, () => read().received, address),
  }
}

const ping = Buffer.from('01000001ffffffff0000000000000000', 'hex')

/** A sender to `port`; `received` tells how many datagrams have come there. */
export async function startSender(
  t: Test,
  port: number,
  received: () => number,
  address = '127.0.0.1',
): Promise<Sender> {
  const socket = createSocket('udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  t.teardown(() => close(socket))
  const answers: Buffer[] = []
  const got = { bytes: 0, datagrams: 0 }
  socket.on('message', (bytes: Buffer, _from: RemoteInfo) => {
    got.bytes += bytes.length
    got.datagrams++
    answers.push(bytes)
  })
  async function send(bytes: Uint8Array): Promise<void> {
    const before = received()
    socket.send(bytes, port, '127.0.0.1')
    await until(() => received() > before)
  }
  async function answer(): Promise<Buffer> {
    await until(() => answers.length > 0)
    return answers.shift()!
  }
  return {
    address,
    port: socket.address().port,
    send,
    answer,
    got,
    async ask(bytes) {
      await send(bytes)
      return answer()
    },
    async isSilent(bytes) {
      await send(bytes)
      await send(ping)
      const first = await answer()
      // The session of that ping, and of no other request.
      return first.readUInt32BE(4) === 0xffff_ffff && answers.length === 0
    },
  }
}
