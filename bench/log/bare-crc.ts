/**
 * The baseline of the log server: `node:net` on one thread, the same frames, their checksums checked, each answered by an empty
 * response with a checksum of its own. Written as fast as it can be: no types, no limits, one write for all that one read brought.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { crc32 } from '../../src/messages/wire/crc32.ts'
import { readU32, writeU32 } from '../../src/messages/wire/in-place.ts'

const answerBytes = 19
const lengthMax = 16_777_216

/** An echo server at a free port of the loopback interface. */
export function listenBareCrc(): Promise<Server> {
  const server = createServer({ noDelay: true }, serve)
  return new Promise(resolve => server.listen(0, '127.0.0.1', 4_096, () => resolve(server)))
}

function serve(socket: Socket): void {
  let rest: Buffer | undefined
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    const input = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    const output = Buffer.allocUnsafe(Math.ceil(input.length / 20) * answerBytes)
    let at = 0
    let written = 0
    while (input.length - at >= 20) {
      const length = readU32(input, at)
      if (length > lengthMax) {
        socket.destroy()
        return
      }
      const end = at + 4 + length
      if (end > input.length) break
      if (crc32(input, at, end - 4) !== readU32(input, end - 4)) {
        socket.destroy()
        return
      }
      writeU32(output, written, answerBytes - 4)
      for (let byte = 4; byte < 12; byte++) output[written + byte] = input[at + byte]!
      output[written + 12] = 0
      output[written + 13] = 0
      output[written + 14] = 0
      writeU32(output, written + 15, crc32(output, written, written + 15))
      written += answerBytes
      at = end
    }
    rest = at === input.length ? undefined : input.subarray(at)
    if (written > 0 && !socket.write(output.subarray(0, written))) {
      socket.pause()
      socket.once('drain', () => socket.resume())
    }
  })
}
