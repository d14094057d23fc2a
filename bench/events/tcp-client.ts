/** Clients of the measured servers, lean enough not to be what is measured; every byte that comes back is checked. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeEventRequest } from '../../src/messages/event/request-v1.ts'

/** Bytes in the body of a request. */
export const bodyBytes = 32
/** Read at once at most, where they are only counted. */
const countedBytes = 65_536

/** So many requests in a row. */
export function createBlock(requests: number): Buffer {
  return Buffer.concat(
    Array.from({ length: requests }, (_, index) =>
      encodeEventRequest({ sessionId: index, body: Buffer.alloc(bodyBytes, index) }),
    ),
  )
}

/** Opens a connection. */
export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Opens a connection of which only the bytes that come are counted: they are read into one buffer, which costs no memory. */
export async function openCounted(port: number, count: (bytes: number) => void): Promise<Socket> {
  const callback = (bytes: number): boolean => {
    count(bytes)
    return true
  }
  const onread = { buffer: Buffer.allocUnsafeSlow(countedBytes), callback }
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
  await once(socket, 'connect')
  return socket
}

/**
 * Sends `block` so many times, `ahead` of them before the first is answered; settles when all are. The answer to an echo for
 * server 0 is the request itself. Rejects when it is not, or when the connection ends.
 */
export function pump(socket: Socket, block: Buffer, blocks: number, ahead: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = Math.min(ahead, blocks)
    let answered = 0
    let at = 0
    const settle = (error?: Error): void => {
      socket.off('data', take).off('close', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onClose = (): void => settle(new Error('the server closed the connection'))
    const take = (chunk: Buffer): void => {
      for (let from = 0; from < chunk.length; ) {
        const bytes = Math.min(block.length - at, chunk.length - from)
        if (block.compare(chunk, from, from + bytes, at, at + bytes) !== 0) {
          settle(new Error('a wrong answer'))
          return
        }
        from += bytes
        at += bytes
        if (at < block.length) continue
        at = 0
        answered++
        if (sent < blocks) {
          sent++
          socket.write(block)
        }
      }
      if (answered === blocks) settle()
    }
    socket.on('data', take).on('close', onClose)
    for (let number = 0; number < sent; number++) socket.write(block)
  })
}

/** One request at a time; answers the milliseconds of each. */
export async function roundTrips(
  socket: Socket,
  request: Buffer,
  count: number,
  answerBytes: number,
): Promise<number[]> {
  const times: number[] = []
  await new Promise<void>((resolve, reject) => {
    let from = 0
    let received = 0
    const send = (): void => {
      received = 0
      from = performance.now()
      socket.write(request)
    }
    const onClose = (): void => reject(new Error('the server closed the connection'))
    const take = (chunk: Buffer): void => {
      received += chunk.length
      if (received < answerBytes) return
      times.push(performance.now() - from)
      if (times.length < count) {
        send()
        return
      }
      socket.off('data', take).off('close', onClose)
      resolve()
    }
    socket.on('data', take).on('close', onClose)
    send()
  })
  return times
}
