/**
 * The baseline of the event server over TCP: `node:net` on one thread, the same 16-byte headers read and checked, each
 * request answered by the bytes it came in. Written as fast as it can be: no timers, no limits, no copies, one write for
 * all that one read brought.
 */
import { createServer, type Server, type Socket } from 'node:net'

const headerBytes = 16
const bodyBytesMax = 65_536

/** An echo server at a free port of the loopback interface. */
export function listenBare(): Promise<Server> {
  const server = createServer({ noDelay: true }, serve)
  return new Promise(resolve => server.listen(0, '127.0.0.1', 4_096, () => resolve(server)))
}

function serve(socket: Socket): void {
  let rest: Buffer | undefined
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    const input = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (input.length - at >= headerBytes) {
      const bodyBytes = input.readUInt32BE(at + 8)
      if (input[at] !== 1 || bodyBytes > bodyBytesMax) {
        socket.destroy()
        return
      }
      if (input.length - at - headerBytes < bodyBytes) break
      // What is the number of a server in a request is the status in an answer.
      input[at + 1] = 0
      at += headerBytes + bodyBytes
    }
    rest = at === input.length ? undefined : input.subarray(at)
    if (at > 0 && !socket.write(at === input.length ? input : input.subarray(0, at))) {
      socket.pause()
      socket.once('drain', () => socket.resume())
    }
  })
}
