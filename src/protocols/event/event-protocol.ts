/**
 * The event protocol over a stream: checks in the order header, raidaId, length, command, the first fault answers. A bad
 * header or length ends the connection after its answer, any other fault costs the request only.
 */

import {
  defineProtocol,
  type Fault,
  type FrameProtocol,
  type Link,
  type ProtocolEnvironment,
} from '../../actors/serving/protocol.ts'
import type { RefusalKind } from '../../actors/serving/refusals.ts'
import { type EventStatus, eventStatus } from '../../messages/event/status.ts'
import { STOP, skipBody } from '../../messages/wire/frame-decoder.ts'
import { CommandDesk, loadCommands } from './command-desk.ts'
import type { EventDialect } from './dialect.ts'
import { dialectV1 } from './dialect-v1.ts'
import type { EventCommand } from './event-call.ts'
import { type EventProtocolOptions, type EventServiceOptions, resolveEventOptions } from './event-options.ts'
import { writeErrorReply } from './event-reply.ts'
import { loadDialect } from './load-dialect.ts'

const faultStatus: Record<Fault, EventStatus> = {
  overloaded: eventStatus.overloaded,
  timeout: eventStatus.timeout,
  memory: eventStatus.memoryAlloc,
}

/** What a refused header is counted as. */
const refusalOf = {
  [eventStatus.invalidHeader]: 'headersInvalid',
  [eventStatus.bodyTooLarge]: 'bodiesTooLarge',
  [eventStatus.unknownCommand]: 'commandsUnknown',
} as const satisfies Partial<Record<EventStatus, RefusalKind>>

type RefusedStatus = keyof typeof refusalOf

/**
 * Builds the protocol. `commands` are served besides echo and ping, by number. `BAD_CONFIG` for an option that cannot be
 * used or a command number that is taken or not a u16.
 */
export function createEventProtocol(
  options: EventProtocolOptions,
  environment: ProtocolEnvironment,
  commands: ReadonlyMap<number, EventCommand> = new Map(),
  dialect: EventDialect = dialectV1,
): FrameProtocol {
  const { raidaId, oneRequestPerConnection } = resolveEventOptions(options)
  const { limits } = environment
  const { headerBytes } = dialect
  const desk = new CommandDesk(dialect, 'tcp', environment, commands)
  const noHeader = Buffer.alloc(headerBytes)

  function stop(link: Link, status: RefusedStatus, bytes: Buffer, at: number): number {
    link.countRefusal(refusalOf[status])
    writeErrorReply(dialect, link, status, bytes, at)
    link.finish()
    return STOP
  }

  /** Refuses a request whose body can be skipped. */
  function refuse(link: Link, status: RefusedStatus, bytes: Buffer, at: number, bodyBytes: number): number {
    if (oneRequestPerConnection) return stop(link, status, bytes, at)
    link.countRefusal(refusalOf[status])
    writeErrorReply(dialect, link, status, bytes, at)
    return skipBody(bodyBytes)
  }

  return {
    kind: 'frames',
    name: 'event',
    headerBytes,
    replyOrder: 'requests',
    whenFull: 'refuse',
    header(link, bytes, at) {
      if (!dialect.validateHeader(bytes, at)) return stop(link, eventStatus.invalidHeader, bytes, at)
      const bodyBytes = dialect.bodyBytes(bytes, at)
      const tooLarge = bodyBytes > limits.bodyBytesMax
      if (dialect.raidaId(bytes, at) !== raidaId) {
        // A body that may not be read cannot be skipped either: its length ends the connection, whoever it was for.
        if (tooLarge) return stop(link, eventStatus.invalidHeader, bytes, at)
        return refuse(link, eventStatus.invalidHeader, bytes, at, bodyBytes)
      }
      if (tooLarge) return stop(link, eventStatus.bodyTooLarge, bytes, at)
      if (!desk.knows(dialect.command(bytes, at))) {
        return refuse(link, eventStatus.unknownCommand, bytes, at, bodyBytes)
      }
      return bodyBytes
    },
    request(link, bytes, at, bodyBytes) {
      desk.serve(link, bytes, at, bodyBytes)
      if (oneRequestPerConnection) link.finish()
    },
    describe: (bytes, at) => ({
      raidaId: dialect.raidaId(bytes, at),
      command: dialect.command(bytes, at),
      sessionId: dialect.sessionId(bytes, at),
      bodyBytes: dialect.bodyBytes(bytes, at),
    }),
    fault(link, fault, bytes, at) {
      // Without a header there is no request to answer; only a refusal is worth saying to whom it may concern.
      if (bytes !== undefined) writeErrorReply(dialect, link, faultStatus[fault], bytes, at)
      else if (fault === 'overloaded') writeErrorReply(dialect, link, faultStatus[fault], noHeader, 0)
      if (oneRequestPerConnection && bytes !== undefined) link.finish()
    },
  }
}

/** The event protocol with the commands and the dialect of its options, for shards to load. */
export const eventProtocol = defineProtocol<EventServiceOptions>(
  import.meta.url,
  'eventProtocol',
  async (options, environment) => {
    const commands = await loadCommands(options, environment)
    const dialect = await loadDialect(options.dialect, environment)
    return createEventProtocol(options, environment, commands, dialect)
  },
)
