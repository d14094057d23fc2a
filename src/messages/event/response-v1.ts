/**
 * A response of the event protocol, version 1. Big-endian.
 *
 * | offset | field     | size                             |
 * |--------|-----------|----------------------------------|
 * | 0      | version   | u8, 1                            |
 * | 1      | status    | u8, see `eventStatus`            |
 * | 2      | command   | u16, the request's               |
 * | 4      | sessionId | u32, the request's               |
 * | 8      | bodyBytes | u32                              |
 * | 12     | reserved  | u32, 0                           |
 * | 16     | body      | bodyBytes; empty unless status 0 |
 */
import { StarfishError } from '../errors.ts'
import { WireReader } from '../wire/reader.ts'
import { WireWriter } from '../wire/writer.ts'
import { EVENT_HEADER_BYTES, EVENT_VERSION } from './status.ts'

/** A response as its receiver sees it. */
export interface EventResponse {
  /** One of `eventStatus`; a newer server may know more. */
  readonly status: number
  readonly command: number
  readonly sessionId: number
  readonly body: Uint8Array
}

/** Offsets of the fields, for clients that read them in place. */
export const eventResponseAt = {
  version: 0,
  status: 1,
  command: 2,
  sessionId: 4,
  bodyBytes: 8,
} as const

const name = 'event response'

/** Encodes a response; `BAD_FRAME` when a field does not fit. */
export function encodeEventResponse(response: EventResponse): Buffer {
  return new WireWriter(EVENT_HEADER_BYTES + response.body.length, name)
    .u8(EVENT_VERSION, 'version')
    .u8(response.status, 'status')
    .u16(response.command, 'command')
    .u32(response.sessionId, 'sessionId')
    .u32(response.body.length, 'bodyBytes')
    .u32(0, 'reserved')
    .bytes(response.body)
    .finish()
}

/**
 * Writes the header of a response in place, without checks or allocation: `target` must have 16 bytes at `at`, and
 * `source` the request's header at `from`, whose command and session are copied as they are.
 */
export function writeEventResponseHeader(
  target: Buffer,
  at: number,
  status: number,
  source: Buffer,
  from: number,
  bodyBytes: number,
): void {
  target[at] = EVENT_VERSION
  target[at + 1] = status
  target[at + 2] = source[from + 2]!
  target[at + 3] = source[from + 3]!
  target[at + 4] = source[from + 4]!
  target[at + 5] = source[from + 5]!
  target[at + 6] = source[from + 6]!
  target[at + 7] = source[from + 7]!
  target[at + 8] = bodyBytes >>> 24
  target[at + 9] = bodyBytes >>> 16
  target[at + 10] = bodyBytes >>> 8
  target[at + 11] = bodyBytes
  target[at + 12] = 0
  target[at + 13] = 0
  target[at + 14] = 0
  target[at + 15] = 0
}

/** Decodes exactly one response; `BAD_FRAME` names field and offset. The body is a view of `bytes`. */
export function decodeEventResponse(bytes: Uint8Array): EventResponse {
  const reader = new WireReader(bytes, name)
  const version = reader.u8('version')
  if (version !== EVENT_VERSION) {
    throw new StarfishError('BAD_FRAME', `${name}: version ${version} is not ${EVENT_VERSION}`, {
      details: { message: name, field: 'version', offset: 0, version },
    })
  }
  const status = reader.u8('status')
  const command = reader.u16('command')
  const sessionId = reader.u32('sessionId')
  const bodyBytes = reader.u32('bodyBytes')
  reader.u32('reserved')
  const body = reader.bytes(bodyBytes, 'body')
  reader.end()
  return { status, command, sessionId, body }
}
