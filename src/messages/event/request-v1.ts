/**
 * A request of the event protocol, version 1. Big-endian.
 *
 * | offset | field     | size      |
 * |--------|-----------|-----------|
 * | 0      | version   | u8, 1     |
 * | 1      | raidaId   | u8        |
 * | 2      | command   | u16       |
 * | 4      | sessionId | u32       |
 * | 8      | bodyBytes | u32       |
 * | 12     | reserved  | u32       |
 * | 16     | body      | bodyBytes |
 */
import { StarfishError } from '../errors.ts'
import { WireReader } from '../wire/reader.ts'
import { WireWriter } from '../wire/writer.ts'
import { EVENT_HEADER_BYTES, EVENT_VERSION } from './status.ts'

/** A request as its sender means it. */
export interface EventRequest {
  /** The server it is for; 0 unless servers are configured otherwise. */
  readonly raidaId: number
  /** What to do: u16, see `eventCommand` for those every server knows. */
  readonly command: number
  /** Comes back in the response; chosen by the client. */
  readonly sessionId: number
  /** 0 over TCP, where it is ignored. */
  readonly reserved: number
  readonly body: Uint8Array
}

/** Offsets of the fields, for servers that read them in place. */
export const eventRequestAt = {
  version: 0,
  raidaId: 1,
  command: 2,
  sessionId: 4,
  bodyBytes: 8,
  reserved: 12,
} as const

const name = 'event request'

/** Encodes a request; `BAD_FRAME` when a field does not fit. Fields left out are 0, the body empty. */
export function encodeEventRequest(request: Partial<EventRequest>): Buffer {
  const body = request.body ?? new Uint8Array(0)
  return new WireWriter(EVENT_HEADER_BYTES + body.length, name)
    .u8(EVENT_VERSION, 'version')
    .u8(request.raidaId ?? 0, 'raidaId')
    .u16(request.command ?? 0, 'command')
    .u32(request.sessionId ?? 0, 'sessionId')
    .u32(body.length, 'bodyBytes')
    .u32(request.reserved ?? 0, 'reserved')
    .bytes(body)
    .finish()
}

/** What of a request its header carries, the size of its body apart. */
export type EventRequestHead = Omit<EventRequest, 'body'>

/** Writes the header of a request in place, without checks or allocation: `target` must have 16 bytes at `at`. */
export function writeEventRequestHeader(target: Buffer, at: number, head: EventRequestHead, bodyBytes: number): void {
  const { raidaId, command, sessionId, reserved } = head
  target[at] = EVENT_VERSION
  target[at + 1] = raidaId
  target[at + 2] = command >>> 8
  target[at + 3] = command
  target[at + 4] = sessionId >>> 24
  target[at + 5] = sessionId >>> 16
  target[at + 6] = sessionId >>> 8
  target[at + 7] = sessionId
  target[at + 8] = bodyBytes >>> 24
  target[at + 9] = bodyBytes >>> 16
  target[at + 10] = bodyBytes >>> 8
  target[at + 11] = bodyBytes
  target[at + 12] = reserved >>> 24
  target[at + 13] = reserved >>> 16
  target[at + 14] = reserved >>> 8
  target[at + 15] = reserved
}

/** Decodes exactly one request; `BAD_FRAME` names field and offset. The body is a view of `bytes`. */
export function decodeEventRequest(bytes: Uint8Array): EventRequest {
  const reader = new WireReader(bytes, name)
  const version = reader.u8('version')
  if (version !== EVENT_VERSION) {
    throw new StarfishError('BAD_FRAME', `${name}: version ${version} is not ${EVENT_VERSION}`, {
      details: { message: name, field: 'version', offset: 0, version },
    })
  }
  const raidaId = reader.u8('raidaId')
  const command = reader.u16('command')
  const sessionId = reader.u32('sessionId')
  const bodyBytes = reader.u32('bodyBytes')
  const reserved = reader.u32('reserved')
  const body = reader.bytes(bodyBytes, 'body')
  reader.end()
  return { raidaId, command, sessionId, reserved, body }
}
