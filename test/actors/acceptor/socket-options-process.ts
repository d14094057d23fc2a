/** A process that asks the kernel what options an accepted socket has (Linux), and prints them. Needs `--experimental-ffi`. */
import { once } from 'node:events'
import { dlopen } from 'node:ffi'
import { connect, type Socket } from 'node:net'
import { resolveAcceptorInput } from '../../../src/actors/acceptor/config.ts'
import { createServerCounters } from '../../../src/actors/acceptor/counters.ts'
import { listen } from '../../../src/actors/acceptor/listener.ts'
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import { protocolReference } from '../../../src/actors/serving/protocol.ts'
import { eventProtocol } from '../../../src/protocols/event/event-protocol.ts'
import { createTestRuntime } from './test-runtime.ts'

/** `include/uapi/linux/tcp.h` and `asm-generic/socket.h`. */
const levels = { socket: 1, tcp: 6 } as const
const options = {
  keepAlive: [levels.socket, 9],
  noDelay: [levels.tcp, 1],
  idleSeconds: [levels.tcp, 4],
  intervalSeconds: [levels.tcp, 5],
  probes: [levels.tcp, 6],
} as const

const { functions } = dlopen('libc.so.6', {
  getsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'] },
})

function optionOf(fd: number, level: number, name: number): number {
  const value = Buffer.alloc(4)
  const length = Buffer.alloc(4)
  length.writeInt32LE(value.length)
  if (functions.getsockopt(fd, level, name, value, length) !== 0) throw new Error(`getsockopt ${level} ${name}`)
  return value.readInt32LE()
}

const input = resolveAcceptorInput(
  { port: 0, protocol: protocolReference(eventProtocol, {}) },
  { shards: 1, platform: 'linux', handoff: { threadId: 0, listener: 'none' }, counters: createServerCounters(1, 1) },
)
const accepted = Promise.withResolvers<Socket>()
const listener = await listen(input, {
  reusePort: false,
  pauseOnConnect: false,
  clock: systemClock,
  log: createTestRuntime(systemClock, 0, () => {}).log,
  shard: 0,
  onSocket: accepted.resolve,
})
const client = connect(listener.port, '127.0.0.1')
await once(client, 'connect')
const socket = await accepted.promise
const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle
const read = Object.entries(options).map(([name, [level, option]]) => [name, optionOf(fd, level, option)])
console.log(JSON.stringify(Object.fromEntries(read)))
client.destroy()
socket.destroy()
await listener.close()
