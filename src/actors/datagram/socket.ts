/** The UDP socket of a shard, and the look for an address before shards share it. */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { listenError } from '../serving/listen-error.ts'
import { udpDefaults } from './config.ts'

/** Where to bind. */
export interface DatagramAddress {
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
  /** What the system is to hold for it in each direction, bytes. */
  readonly bufferBytes: number
}

/** Binds a socket. Rejects with `PORT_IN_USE` or `LISTEN_FAILED`. */
export async function bindSocket({ host, port, reusePort, bufferBytes }: DatagramAddress): Promise<Socket> {
  try {
    const { address, family } = await lookup(host)
    const socket = await bound(family === 6 ? 'udp6' : 'udp4', address, port, reusePort)
    holdMore(socket, bufferBytes)
    return socket
  } catch (error) {
    throw listenError(error as Error, host, port, 'udp')
  }
}

function bound(type: 'udp4' | 'udp6', address: string, port: number, reusePort: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type,
      reusePort,
      // What is sent goes to addresses that datagrams came from: there is no name to look up, so no turn to wait for it.
      lookup: (name, _options, found) => found(null, name, type === 'udp6' ? 6 : 4),
    })
    socket.once('error', error => {
      close(socket)
      reject(error)
    })
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

/** Systems that have less take what they have; those that refuse leave what they began with. */
function holdMore(socket: Socket, bytes: number): void {
  try {
    socket.setRecvBufferSize(bytes)
    socket.setSendBufferSize(bytes)
  } catch {
    // A burst is lost earlier; nothing else.
  }
}

/** Closes a socket; one that is closed already is left alone. */
export function close(socket: Socket): void {
  try {
    socket.close()
  } catch {
    // It never came to be, or is gone.
  }
}

/**
 * Binds at the address alone for a moment: with `reusePort` a second node at the same port would succeed silently and take
 * half of the datagrams. Rejects with `PORT_IN_USE` or `LISTEN_FAILED`.
 */
export async function probeDatagrams(host: string, port: number): Promise<void> {
  const socket = await bindSocket({ host, port, reusePort: false, bufferBytes: udpDefaults.bufferBytes })
  await new Promise<void>(closed => socket.close(closed))
}
