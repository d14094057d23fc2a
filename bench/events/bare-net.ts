/**
 * The baseline of the event server over TCP: `node:net` on one thread, the same 16-byte headers read and checked, each
 * request answered by the bytes it came in. Written as fast as it can be: no timers, no limits, no copies, one write for
 * all that one read brought.
 */
import type { Server, Socket } from 'node:net'
import { listenBareServer, writeOrPause } from '../bare-server.ts'

const headerBytes = 16
const bodyBytesMax = 65_536

/** An echo server at a free port of the loopback interface. */
export function listenBare(): Promise<Server> {
  return listenBareServer(serve)
}

function serve(input: Buffer, socket: Socket): number {
  let at = 0
  while (input.length - at >= headerBytes) {
    const bodyBytes = input.readUInt32BE(at + 8)
    if (input[at] !== 1 || bodyBytes > bodyBytesMax) return -1
    if (input.length - at - headerBytes < bodyBytes) break
    // What is the number of a server in a request is the status in an answer.
    input[at + 1] = 0
    at += headerBytes + bodyBytes
  }
  writeOrPause(socket, at === input.length ? input : input.subarray(0, at))
  return at
}
