/**
 * The event protocol over a stream: 16-byte headers, checks in the order version, raidaId, length, command, the first
 * fault answers. A bad version or length ends the connection after its answer, any other fault costs the request only.
 */

import type { Clock } from '../../actors/runtime/clock.ts'
import {
  defineProtocol,
  type Fault,
  type FrameProtocol,
  type Link,
  type ProtocolEnvironment,
} from '../../actors/serving/protocol.ts'
import { StarfishError } from '../../messages/errors.ts'
import { eventRequestAt } from '../../messages/event/request-v1.ts'
import {
  EVENT_HEADER_BYTES,
  EVENT_VERSION,
  type EventStatus,
  eventCommand,
  eventStatus,
} from '../../messages/event/status.ts'
import { STOP, skipBody } from '../../messages/wire/frame-decoder.ts'
import { type EventCall, EventCallCursor, type EventCommand, writeResponse } from './event-call.ts'

/** Options of the event protocol. */
export interface EventProtocolOptions {
  /** The server's own number: requests for another one are answered "invalid header". Default 0. */
  readonly raidaId?: number
}

const faultStatus: Record<Fault, EventStatus> = {
  overloaded: eventStatus.overloaded,
  timeout: eventStatus.timeout,
  memory: eventStatus.memoryAlloc,
}

const noHeader = Buffer.alloc(EVENT_HEADER_BYTES)

/** Command 0: the body comes back. */
export function echo(call: EventCall): void {
  call.answer(call.bytes, call.bodyStart, call.bodyEnd)
}

/** Command 1: the time of `clock`, u64 ms since the epoch. */
export function createPing(clock: Clock): EventCommand {
  const time = Buffer.alloc(8)
  return call => {
    time.writeBigUInt64BE(BigInt(Math.floor(clock.now())))
    call.answer(time)
  }
}

/**
 * Builds the protocol. `commands` are served besides echo and ping, by number. `BAD_CONFIG` for a raidaId that is not
 * a byte or a command number that is taken or not a u16.
 */
export function createEventProtocol(
  options: EventProtocolOptions,
  environment: ProtocolEnvironment,
  commands: ReadonlyMap<number, EventCommand> = new Map(),
): FrameProtocol {
  const raidaId = checkRaidaId(options.raidaId ?? 0)
  const { log, limits } = environment
  const handlers = new Map<number, EventCommand>([
    [eventCommand.echo, echo],
    [eventCommand.ping, createPing(environment.clock)],
  ])
  for (const [number, command] of commands) handlers.set(checkCommand(number, handlers), command)
  const call = new EventCallCursor()

  function answer(link: Link, status: EventStatus, bytes: Buffer, at: number): void {
    writeResponse(link, status, bytes, at, bytes, 0, 0)
  }

  function stop(link: Link, status: EventStatus, bytes: Buffer, at: number): number {
    answer(link, status, bytes, at)
    link.finish()
    return STOP
  }

  return {
    kind: 'frames',
    name: 'event',
    headerBytes: EVENT_HEADER_BYTES,
    replyOrder: 'requests',
    header(link, bytes, at) {
      if (bytes[at] !== EVENT_VERSION) return stop(link, eventStatus.invalidHeader, bytes, at)
      const bodyBytes = bytes.readUInt32BE(at + eventRequestAt.bodyBytes)
      const tooLarge = bodyBytes > limits.bodyBytesMax
      if (bytes[at + eventRequestAt.raidaId] !== raidaId) {
        // A body that may not be read cannot be skipped either: its length ends the connection, whoever it was for.
        if (tooLarge) return stop(link, eventStatus.invalidHeader, bytes, at)
        answer(link, eventStatus.invalidHeader, bytes, at)
        return skipBody(bodyBytes)
      }
      if (tooLarge) return stop(link, eventStatus.bodyTooLarge, bytes, at)
      if (!handlers.has(bytes.readUInt16BE(at + eventRequestAt.command))) {
        answer(link, eventStatus.unknownCommand, bytes, at)
        return skipBody(bodyBytes)
      }
      return bodyBytes
    },
    request(link, bytes, at, bodyBytes) {
      call.move(link, bytes, at, bodyBytes)
      try {
        handlers.get(call.command)!(call)
      } catch (error) {
        log.warn({ err: error, command: call.command, connection: link.id }, 'event command failed')
        call.late?.fail(eventStatus.handlerFailed)
      }
      if (!call.answered) call.fail(eventStatus.handlerFailed)
    },
    fault(link, fault, bytes, at) {
      // Without a header there is no request to answer; only a refusal is worth saying to whom it may concern.
      if (bytes !== undefined) answer(link, faultStatus[fault], bytes, at)
      else if (fault === 'overloaded') answer(link, faultStatus[fault], noHeader, 0)
    },
  }
}

/** The event protocol with its built-in commands, for shards to load. */
export const eventProtocol = defineProtocol<EventProtocolOptions>(
  import.meta.url,
  'eventProtocol',
  (options, environment) => createEventProtocol(options, environment),
)

/** Answers a server's number that is a byte; `BAD_CONFIG` for any other. */
export function checkRaidaId(raidaId: number): number {
  if (Number.isInteger(raidaId) && raidaId >= 0 && raidaId <= 255) return raidaId
  throw new StarfishError('BAD_CONFIG', `raidaId must be an integer from 0 to 255, not ${raidaId}`, {
    details: { option: 'raidaId', value: raidaId },
  })
}

function checkCommand(command: number, taken: ReadonlyMap<number, unknown>): number {
  if (Number.isInteger(command) && command >= 0 && command <= 0xffff && !taken.has(command)) return command
  throw new StarfishError('BAD_CONFIG', `command ${command} must be an integer from 0 to 65535 that is not taken`, {
    details: { option: 'commands', value: command },
  })
}
