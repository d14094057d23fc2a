/** The event protocol of this package, version 1: 16-byte headers, bodies in the clear. */
import { EVENT_COOKIE_FLAG } from '../../messages/event/cookie.ts'
import { eventRequestAt } from '../../messages/event/request-v1.ts'
import { writeEventResponseHeader } from '../../messages/event/response-v1.ts'
import { EVENT_HEADER_BYTES, EVENT_VERSION } from '../../messages/event/status.ts'
import type { EventDialect } from './dialect.ts'

const lowByteOfReserved = eventRequestAt.reserved + 3

/** The dialect of servers that were told of no other; others may begin with it: `{ ...dialectV1, … }`. */
export const dialectV1: EventDialect = {
  headerBytes: EVENT_HEADER_BYTES,
  replyHeaderBytes: EVENT_HEADER_BYTES,
  validateHeader: (bytes, at) => bytes[at] === EVENT_VERSION,
  raidaId: (bytes, at) => bytes[at + eventRequestAt.raidaId]!,
  bodyBytes: (bytes, at) => bytes.readUInt32BE(at + eventRequestAt.bodyBytes),
  command: (bytes, at) => bytes.readUInt16BE(at + eventRequestAt.command),
  sessionId: (bytes, at) => bytes.readUInt32BE(at + eventRequestAt.sessionId),
  hasCookie: (bytes, at) => (bytes[at + lowByteOfReserved]! & EVENT_COOKIE_FLAG) !== 0,
  writeReplyHeader: writeEventResponseHeader,
}
