/**
 * The event protocol over UDP: a request is one datagram, and so is its answer. The same checks as over a stream, in the
 * order header, raidaId, length, command; the first fault answers. A datagram is as long as its header says, or malformed.
 *
 * ```
 * header | body                           reserved bit 0 clear
 * header | cookie 16 | body               reserved bit 0 set: the sender proves the address that it writes from
 * ```
 */
import {
  type DatagramPath,
  type DatagramProtocol,
  type Verdict,
  verdict,
} from '../../actors/serving/datagram-protocol.ts'
import { defineProtocol, type ProtocolEnvironment } from '../../actors/serving/protocol.ts'
import { StarfishError } from '../../messages/errors.ts'
import { EVENT_COOKIE_BYTES } from '../../messages/event/cookie.ts'
import { type EventStatus, eventStatus } from '../../messages/event/status.ts'
import { CommandDesk, loadCommands } from './command-desk.ts'
import type { EventDialect } from './dialect.ts'
import { dialectV1 } from './dialect-v1.ts'
import type { EventCommand } from './event-call.ts'
import { type EventServiceOptions, resolveEventOptions } from './event-options.ts'
import { encodeReply, writeErrorReply } from './event-reply.ts'
import { loadDialect } from './load-dialect.ts'

/** What a shard is told of the protocol over UDP. */
export interface EventDatagramOptions extends EventServiceOptions {
  /** The largest datagram, bytes with the header: one that is longer, or says so, is answered `bodyTooLarge`. */
  readonly payloadBytesMax: number
}

const nothing = new Uint8Array(0)

/**
 * Builds the protocol. `commands` are served besides echo and ping, by number. `BAD_CONFIG` for an option that cannot be
 * used, a command number that is taken or not a u16, and a dialect whose faults do not fit a datagram.
 */
export function createEventDatagrams(
  options: EventDatagramOptions,
  environment: ProtocolEnvironment,
  commands: ReadonlyMap<number, EventCommand> = new Map(),
  dialect: EventDialect = dialectV1,
): DatagramProtocol {
  const { payloadBytesMax } = options
  const { raidaId } = resolveEventOptions(options)
  const { headerBytes, replyHeaderBytes } = dialect
  const desk = new CommandDesk(dialect, 'udp', environment, commands)
  const takesCookies = dialect.hasCookie !== undefined
  const challengeBody = takesCookies ? EVENT_COOKIE_BYTES : bodyOf(eventStatus.handlerFailed).length
  const cutHeader = Buffer.alloc(headerBytes)
  checkSizes()

  function bodyOf(status: EventStatus): Uint8Array {
    return dialect.errorBody?.(status) ?? nothing
  }

  function checkSizes(): void {
    const bodies = Object.values(eventStatus).map(status => (status === eventStatus.ok ? 0 : bodyOf(status).length))
    const needed = Math.max(headerBytes, replyHeaderBytes + Math.max(EVENT_COOKIE_BYTES, ...bodies))
    if (needed <= payloadBytesMax) return
    const text = `udp.payloadBytesMax is ${payloadBytesMax}: the headers and faults of this protocol need ${needed} bytes`
    throw new StarfishError('BAD_CONFIG', text, { details: { option: 'udp.payloadBytesMax', needed } })
  }

  function fault(path: DatagramPath, status: EventStatus, bytes: Buffer): Verdict {
    writeErrorReply(dialect, path, status, bytes, 0)
    return verdict.malformed
  }

  /** What is there of a header names the request in the answer. */
  function headerOf(bytes: Buffer): Buffer {
    if (bytes.length >= headerBytes) return bytes
    cutHeader.fill(0).set(bytes)
    return cutHeader
  }

  function withoutCookie(bytes: Buffer): Buffer {
    return Buffer.concat([bytes.subarray(0, headerBytes), bytes.subarray(headerBytes + EVENT_COOKIE_BYTES)])
  }

  function refuse(path: DatagramPath, status: EventStatus, bytes: Buffer, why: Verdict): Verdict {
    writeErrorReply(dialect, path, status, bytes, 0)
    return why
  }

  return {
    kind: 'datagrams',
    name: 'event',
    receive(path, bytes) {
      if (bytes.length < headerBytes) return fault(path, eventStatus.invalidPacketLength, headerOf(bytes))
      if (!dialect.validateHeader(bytes, 0)) return fault(path, eventStatus.invalidHeader, bytes)
      if (dialect.raidaId(bytes, 0) !== raidaId) return fault(path, eventStatus.invalidHeader, bytes)
      const bodyBytes = dialect.bodyBytes(bytes, 0)
      if (headerBytes + bodyBytes > payloadBytesMax || bytes.length > payloadBytesMax) {
        return fault(path, eventStatus.bodyTooLarge, bytes)
      }
      if (headerBytes + bodyBytes !== bytes.length) return fault(path, eventStatus.invalidPacketLength, bytes)
      const cookieBytes = takesCookies && dialect.hasCookie!(bytes, 0) ? EVENT_COOKIE_BYTES : 0
      if (bodyBytes < cookieBytes) return fault(path, eventStatus.invalidPacketLength, bytes)
      if (!desk.knows(dialect.command(bytes, 0))) {
        return refuse(path, eventStatus.unknownCommand, bytes, verdict.unknown)
      }
      if (!path.hasRoom) return refuse(path, eventStatus.overloaded, bytes, verdict.overloaded)
      if (cookieBytes === 0) {
        if (path.mustProve) {
          return takesCookies ? verdict.mustProve : refuse(path, eventStatus.overloaded, bytes, verdict.overloaded)
        }
        desk.serve(path, bytes, 0, bodyBytes)
      } else if (!path.prove(bytes, headerBytes)) return verdict.unproven
      else desk.serve(path, withoutCookie(bytes), 0, bodyBytes - cookieBytes)
      return verdict.taken
    },
    exchangeOf(bytes) {
      const header = headerOf(bytes)
      // Of another header a dialect need not be able to say anything.
      if (!dialect.validateHeader(header, 0)) return 0
      return (Math.imul(dialect.command(header, 0), 0x9e3779b1) ^ dialect.sessionId(header, 0)) >>> 0
    },
    challengeBytes: replyHeaderBytes + challengeBody,
    writeChallenge(target, at, request, cookie) {
      const header = headerOf(request)
      if (takesCookies) {
        dialect.writeReplyHeader(target, at, eventStatus.cookieRequired, header, 0, EVENT_COOKIE_BYTES)
        target.set(cookie, at + replyHeaderBytes)
      } else {
        target.set(encodeReply(dialect, eventStatus.handlerFailed, header, 0, nothing), at)
      }
    },
  }
}

/** The event protocol over UDP with the commands and the dialect of its options, for shards to load. */
export const eventDatagrams = defineProtocol<EventDatagramOptions, DatagramProtocol>(
  import.meta.url,
  'eventDatagrams',
  async (options, environment) => {
    const dialect = await loadDialect(options.dialect, environment)
    const { replyBytesMax } = resolveEventOptions(options)
    const bytesMax = Math.max(0, options.payloadBytesMax - dialect.replyHeaderBytes)
    const isLess = bytesMax < replyBytesMax
    const room = isLess ? { bytesMax, option: 'udp.payloadBytesMax' } : undefined
    const commands = await loadCommands(options, environment, room)
    return createEventDatagrams(options, environment, commands, dialect)
  },
)
