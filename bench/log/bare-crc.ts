/**
 * The baseline of the log server: `node:net` on one thread, the same frames, their checksums checked, each answered by an empty
 * response with a checksum of its own. Written as fast as it can be: no types, no limits, one write for all that one read brought.
 */
import type { Server, Socket } from 'node:net'
import { crc32 } from '../../src/messages/wire/crc32.ts'
import { readU32, writeU32 } from '../../src/messages/wire/in-place.ts'
import { listenBareServer, writeOrPause } from '../bare-server.ts'

const answerBytes = 19
const lengthMax = 16_777_216

/** An echo server at a free port of the loopback interface. */
export function listenBareCrc(): Promise<Server> {
  return listenBareServer(serve)
}

function serve(input: Buffer, socket: Socket): number {
  const output = Buffer.allocUnsafe(Math.ceil(input.length / 20) * answerBytes)
  let at = 0
  let written = 0
  while (input.length - at >= 20) {
    const length = readU32(input, at)
    if (length > lengthMax) return -1
    const end = at + 4 + length
    if (end > input.length) break
    if (crc32(input, at, end - 4) !== readU32(input, end - 4)) return -1
    writeU32(output, written, answerBytes - 4)
    for (let byte = 4; byte < 12; byte++) output[written + byte] = input[at + byte]!
    output[written + 12] = 0
    output[written + 13] = 0
    output[written + 14] = 0
    writeU32(output, written + 15, crc32(output, written, written + 15))
    written += answerBytes
    at = end
  }
  writeOrPause(socket, output.subarray(0, written))
  return at
}
