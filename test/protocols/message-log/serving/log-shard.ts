/** The protocol of the message log on one thread: an engine in memory, an owner of it that answers at once, time that is told. */
import { createRandom, createVirtualClock } from '../../../../src/actors/runtime/clock.ts'
import type { ProtocolEnvironment } from '../../../../src/actors/serving/protocol.ts'
import { serverLimitDefaults } from '../../../../src/messages/limits.ts'
import { createAdvances } from '../../../../src/protocols/message-log/engine/advances.ts'
import { appendOf } from '../../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type {
  LogEngine,
  LogEngineContext,
  LogReader,
  MaybeAsync,
} from '../../../../src/protocols/message-log/engine/contract.ts'
import { memoryLogEngine } from '../../../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { logFigures } from '../../../../src/protocols/message-log/log-figures.ts'
import type { FilledLogOptions } from '../../../../src/protocols/message-log/log-options.ts'
import { createLogProtocol } from '../../../../src/protocols/message-log/log-protocol.ts'
import { appendAll } from '../../../../src/protocols/message-log/owner/append-desk.ts'
import type { StoreEvent } from '../../../../src/protocols/message-log/owner/events.ts'
import { StoreCounts } from '../../../../src/protocols/message-log/owner/store-counts.ts'
import { LogServices } from '../../../../src/protocols/message-log/serving/log-services.ts'
import { StoreLink } from '../../../../src/protocols/message-log/serving/store-link.ts'

/** What the owner of the store is asked, in the hands of a test. */
export type Ask = (event: StoreEvent, timeoutMs: number) => Promise<unknown>

/** Options that differ from the defaults. */
export interface LogShardOptions extends Partial<FilledLogOptions> {
  /** In place of an owner that has the engine. */
  readonly ask?: (engine: LogEngine) => Ask
  /** Bytes of appends that are not settled. */
  readonly appendBytesMax?: number
  /** In place of one in memory. */
  readonly openEngine?: (context: LogEngineContext) => MaybeAsync<LogEngine>
  /** In place of the engine. */
  readonly openReader?: (context: LogEngineContext) => MaybeAsync<LogReader>
}

/** Builds it. */
export async function logShard({ ask, appendBytesMax, openEngine, openReader, ...options }: LogShardOptions = {}) {
  const clock = createVirtualClock()
  const context = { clock, advances: createAdvances(), onLost() {} }
  const engine = await (openEngine?.(context) ?? memoryLogEngine.opener.open(undefined, context))
  const reader = (await openReader?.(context)) ?? engine
  const answer = ask?.(engine) ?? askEngine(engine)
  const lines: unknown[] = []
  const log = { trace() {}, debug() {}, info() {}, warn: (fields: unknown) => void lines.push(fields), error() {} }
  const actor: ProtocolEnvironment['actor'] = {
    address: 'log/s0',
    incarnation: 1,
    shard: 0,
    send() {},
    onStop() {},
    ask: (_to, event, { timeoutMs }) => answer(event as StoreEvent, timeoutMs),
  }
  const { shardInFlightBytesMax } = serverLimitDefaults
  const limits = { ...serverLimitDefaults, shardInFlightBytesMax: appendBytesMax ?? shardInFlightBytesMax }
  const environment = { clock, random: createRandom(1), log, limits, actor }
  const filled = {
    frameBytesMax: 1_000_000,
    requestTimeoutMs: 1_000,
    longPollsMax: 10_000,
    partitionsMax: 100_000,
    ...options,
  }
  const owner = { incarnation: 1, isElsewhere: false }
  const link = new StoreLink(actor, 'log/store', clock)
  const services = new LogServices(filled, environment, link, reader, owner, newFigures())
  const protocol = createLogProtocol(filled, services)
  const [partitionId = 0] = (await engine.createTopic('orders', 1)).partitionIds
  const append = (...values: string[]) => engine.append(appendOf(partitionId, values))
  return { clock, engine, services, protocol, partitionId, append, lines }
}

function newFigures(): Float64Array {
  return logFigures.open(logFigures.create(1), 0)
}

/** An owner that has what it is asked done at once. */
export function askEngine(engine: LogEngine): Ask {
  return async event => {
    if (event.type === 'store.append') return appendAll(engine, event.batch, new StoreCounts(newFigures()))
    if (event.type === 'store.whenOpen') return { incarnation: 1 }
    throw new Error(`the owner is asked ${event.type}`)
  }
}

/** Resolves when `holds`; asks again each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
