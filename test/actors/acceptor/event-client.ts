/** A client of the event protocol that hides nothing: what it sends byte by byte, what came back, how it ended. */
import { connect, type Socket } from 'node:net'
import { decodeEventResponse, type EventResponse } from '../../../src/messages/index.ts'

/** One connection of a client. */
export interface EventClient {
  readonly socket: Socket
  /** The next whole response. Rejects when the connection ends before it. */
  response(): Promise<EventResponse>
  /** Resolves with the bytes nobody asked for when the server has ended its side. */
  ended(): Promise<Buffer>
  /** Resolves when the socket is gone: how. */
  closed(): Promise<'end' | 'reset'>
  write(...frames: Uint8Array[]): void
}

/** Connects; by default the client's side stays open when the server ends its own. */
export async function connectClient(port: number, allowHalfOpen = true): Promise<EventClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen, noDelay: true })
  const client = wrapClient(socket)
  // One that is reset at once may never be seen connected.
  await new Promise<void>(resolve => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  return client
}

/** Makes a client of a socket, TLS sockets included. */
export function wrapClient(socket: Socket): EventClient {
  let received = Buffer.alloc(0)
  let hasEnded = false
  let end: 'end' | 'reset' | undefined
  const wakes = new Set<() => void>()
  const wake = (): void => {
    for (const each of wakes) each()
  }
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('end', () => {
    hasEnded = true
    wake()
  })
  socket.on('error', () => {
    end = 'reset'
  })
  socket.on('close', () => {
    end ??= 'end'
    wake()
  })
  function when<T>(look: () => T | undefined, error?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const each = (): void => {
        const value = look()
        if (value !== undefined) resolve(value)
        else if (error !== undefined && (hasEnded || end !== undefined)) reject(new Error(error))
        else return
        wakes.delete(each)
      }
      wakes.add(each)
      each()
    })
  }
  return {
    socket,
    response: () =>
      when(() => {
        if (received.length < 16) return undefined
        const frameBytes = 16 + received.readUInt32BE(8)
        if (received.length < frameBytes) return undefined
        const frame = received.subarray(0, frameBytes)
        received = received.subarray(frameBytes)
        return decodeEventResponse(frame)
      }, 'the connection ended before the response'),
    ended: () => when(() => (hasEnded ? received : undefined), undefined),
    closed: () => when(() => end),
    write: (...frames) => void socket.write(Buffer.concat(frames)),
  }
}
