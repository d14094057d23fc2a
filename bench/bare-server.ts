/** What the baselines over TCP share: `node:net` on one thread, chunks put together where a frame was cut. */
import { createServer, type Server, type Socket } from 'node:net'

/**
 * Listens at a free port of the loopback interface. `serve` answers the whole frames of `input` and returns how many bytes they
 * were, or -1 to end the connection; the rest comes again in front of the next chunk.
 */
export function listenBareServer(serve: (input: Buffer, socket: Socket) => number): Promise<Server> {
  const server = createServer({ noDelay: true }, socket => {
    let rest: Buffer | undefined
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      const input = rest === undefined ? chunk : Buffer.concat([rest, chunk])
      const used = serve(input, socket)
      if (used < 0) socket.destroy()
      else rest = used === input.length ? undefined : input.subarray(used)
    })
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', 4_096, () => resolve(server)))
}

/** One write for all that one read brought; reads no more while the peer does not read. */
export function writeOrPause(socket: Socket, bytes: Buffer): void {
  if (bytes.length > 0 && !socket.write(bytes)) {
    socket.pause()
    socket.once('drain', () => socket.resume())
  }
}
