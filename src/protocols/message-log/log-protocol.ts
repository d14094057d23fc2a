/**
 * The protocol of the message log over a stream: checks in the order length, checksum, type and version, flags, payload; the
 * first fault answers. A length that cannot be ends the connection without an answer, a wrong checksum after it; any other
 * fault costs the request only.
 */
import { threadId } from 'node:worker_threads'
import { importDefinition } from '../../actors/runtime/import-definition.ts'
import {
  defineProtocol,
  type Fault,
  type FrameProtocol,
  type ProtocolEnvironment,
} from '../../actors/serving/protocol.ts'
import { LOG_REQUEST_HEADER_BYTES, type LogErrorCode, logError } from '../../messages/log/codes.ts'
import type { AnyLogOperation } from '../../messages/log/operation.ts'
import { LogOperations } from '../../messages/log/operations.ts'
import { judgeLogRequestHeader, LogRequestDecoder, logRequestAt } from '../../messages/log/request.ts'
import { STOP } from '../../messages/wire/frame-decoder.ts'
import { readU16, readU32 } from '../../messages/wire/in-place.ts'
import { LargeBuffers } from '../../messages/wire/large-buffers.ts'
import type { LogReader } from './engine/contract.ts'
import { logEngineKind } from './engine/define-log-engine.ts'
import { checkReader } from './engine/engine-shape.ts'
import { logFigures, shardSlot } from './log-figures.ts'
import type { FilledLogOptions, LogServiceOptions } from './log-options.ts'
import { answerError, LogCall } from './serving/log-call.ts'
import { type LogHandler, LogServices } from './serving/log-services.ts'
import { OwnerReader } from './serving/owner-reader.ts'
import { StoreLink } from './serving/store-link.ts'

/** What is answered to a request that the connection cannot take. */
const faultAnswers: Record<Fault, readonly [LogErrorCode, string]> = {
  overloaded: [logError.storageError, 'the server has too much in hand, or is draining: nothing was done'],
  timeout: [logError.requestTimeout, 'the request did not come whole in time: nothing was done'],
  memory: [logError.storageError, 'the server has no memory for the request: nothing was done'],
}

/**
 * Builds the protocol of a shard. `handlers` are the operations that it serves, in whatever versions; those of `services` unless
 * others are given.
 */
export function createLogProtocol(
  { frameBytesMax }: Pick<FilledLogOptions, 'frameBytesMax'>,
  services: LogServices,
  handlers: ReadonlyMap<AnyLogOperation, LogHandler> = services.handlers,
): FrameProtocol {
  const decoder = new LogRequestDecoder(new LogOperations(handlers.keys()))
  const call = new LogCall()
  // What is asked now is mostly what was asked before.
  let lastOperation: AnyLogOperation | undefined
  let handler: LogHandler | undefined

  return {
    kind: 'frames',
    name: 'message log',
    headerBytes: LOG_REQUEST_HEADER_BYTES,
    replyOrder: 'ready',
    whenFull: 'wait',
    bodies: new LargeBuffers(),
    header(link, bytes, at) {
      const verdict = judgeLogRequestHeader(bytes, at, frameBytesMax)
      if (verdict !== STOP) return verdict
      link.countRefusal(readU32(bytes, at) > frameBytesMax ? 'bodiesTooLarge' : 'headersInvalid')
      // What was asked before is still answered.
      link.finish()
      return STOP
    },
    request(link, bytes, at, bodyBytes) {
      const fault = decoder.decode(bytes, at, bodyBytes)
      if (fault !== undefined) {
        link.countRefusal(fault.errorCode === logError.unknownRequest ? 'commandsUnknown' : 'bodiesInvalid')
        answerError(link, bytes, at, fault.errorCode, fault.text)
        if (fault.closes) link.finish()
        return
      }
      const { operation } = decoder
      if (operation !== lastOperation) {
        lastOperation = operation
        handler = handlers.get(operation)
      }
      call.move(operation, link, bytes, at, bodyBytes)
      try {
        handler!(call, decoder.request as never)
      } catch (error) {
        services.refuse(call, error)
      }
      call.leave()
    },
    describe: (bytes, at) => ({
      requestId: String(bytes.readBigUInt64BE(at + logRequestAt.requestId)),
      type: bytes[at + logRequestAt.type]!,
      version: bytes[at + logRequestAt.version]!,
      flags: readU16(bytes, at + logRequestAt.flags),
      length: readU32(bytes, at),
    }),
    fault(link, fault, bytes, at) {
      // Without a header there is no request whose answer anybody could tell.
      if (bytes !== undefined) answerError(link, bytes, at, ...faultAnswers[fault])
    },
  }
}

/** The protocol as shards load it: opens a reader of the store's own, or reads through its owner. */
export const logProtocol = defineProtocol<LogServiceOptions>(
  import.meta.url,
  'logProtocol',
  async (options, environment) => {
    return createLogProtocol(options, await openLogServices(options, environment))
  },
)

/** How long the first shards may wait for a store that opens. */
const openTimeoutMs = 60_000

/** Waits for the store to be open, and opens its reader. Rejects with what either is refused with. */
export async function openLogServices(
  options: LogServiceOptions,
  environment: ProtocolEnvironment,
): Promise<LogServices> {
  const { actor, clock } = environment
  const link = new StoreLink(actor, options.store, clock)
  const owner = await link.ask({ type: 'store.whenOpen' }, openTimeoutMs)
  const reader = await openReader(options, environment, link)
  actor.onStop(async () => reader.close())
  const figures = logFigures.open(options.figures, shardSlot(environment.actor.shard))
  const known = { incarnation: owner.incarnation, isElsewhere: owner.threadId !== threadId }
  return new LogServices(options, environment, link, reader, known, figures)
}

async function openReader(
  { engine, advances, requestTimeoutMs }: LogServiceOptions,
  { clock, log }: ProtocolEnvironment,
  link: StoreLink,
): Promise<LogReader> {
  const { opener } = await importDefinition(engine, logEngineKind)
  const onLost = (err: unknown): void => log.error({ err }, 'a reader of a message log lost messages')
  const reader = await opener.openReader?.(engine.options, { clock, advances, onLost })
  if (reader === undefined) return new OwnerReader(link, advances, requestTimeoutMs)
  return checkReader(engine.exportName, reader)
}
