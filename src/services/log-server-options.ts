/** The options of a log server: checked, all that is wrong told at once, and filled. */
import {
  type AcceptorOptions,
  acceptorOptionNames,
  defaultLimits,
  fillAcceptorOptions,
  fillLimits,
} from '../actors/acceptor/config.ts'
import { type ServerLimits, serverLimitDefaults } from '../messages/limits.ts'
import { createFaults, type Faults, show } from '../messages/option-faults.ts'
import type { RetentionPolicy } from '../protocols/message-log/engine/contract.ts'
import { type BoundLogEngine, logEngineKind } from '../protocols/message-log/engine/define-log-engine.ts'
import {
  type FilledLogOptions,
  fillLogOptions,
  type LogProtocolOptions,
  logOptionNames,
} from '../protocols/message-log/log-options.ts'
import { addressFault } from '../supervisor/id-check.ts'

/** What is kept of a log. */
export interface LogRetentionOptions {
  /** Batches that were stored longer ago are removed, ms. Left out, or Infinity: none is for its age. */
  readonly ageMs?: number
  /** Bytes of messages in one partition: the oldest batches beyond them are removed. Left out, or Infinity: none is. */
  readonly partitionBytesMax?: number
  /** Kept answers of a producer that has not produced to a partition for so long are removed, ms. Default 7 days. */
  readonly producerAgeMs?: number
  /** From the end of one look at what is out of date to the next, ms. Default 60,000. */
  readonly intervalMs?: number
}

/**
 * Options of `createLogServer`. The limits of a connection have room for frames of `frameBytesMax` unless they are told
 * otherwise, and `limits.drainTimeoutMs` and `limits.handlerTimeoutMs` are at least a second longer than `requestTimeoutMs`.
 */
export interface LogServerOptions extends Omit<AcceptorOptions, 'protocol'>, LogProtocolOptions {
  /** Address of the server's supervisor. `log` by default. */
  readonly id?: string
  /** What the log is stored in: `sqliteLogEngine.with({ path })`, or another of `defineLogEngine`. */
  readonly engine: BoundLogEngine
  /** What is removed of the log. Left out, no message is. */
  readonly retention?: LogRetentionOptions
  /** How long the store may take to open, ms. Default 30,000. */
  readonly openTimeoutMs?: number
}

/** {@link LogServerOptions}, checked and filled in. */
export interface LogServerConfig {
  readonly id: string
  readonly engine: BoundLogEngine
  readonly retention: RetentionPolicy
  readonly retentionIntervalMs: number
  readonly openTimeoutMs: number
  readonly log: FilledLogOptions
  readonly limits: ServerLimits
  /** What the listener is told besides. */
  readonly listener: Omit<AcceptorOptions, 'limits' | 'protocol'>
}

const known = [...acceptorOptionNames, ...logOptionNames, 'id', 'engine', 'retention', 'openTimeoutMs']
const day = 86_400_000
const delayMsMax = 2_147_483_647

/** Checks and fills options. `BAD_CONFIG` names all that cannot be used. */
export function resolveLogServer(options: LogServerOptions): LogServerConfig {
  const subject = 'a log server'
  const faults = createFaults()
  if (!faults.options('', options, known)) faults.throwIfAny('BAD_CONFIG', subject)
  const { id = 'log', engine, retention, openTimeoutMs = 30_000, limits, ...listener } = options
  const fault = addressFault(id)
  if (fault !== undefined) faults.add('id', fault)
  if (!logEngineKind.is((engine as Partial<BoundLogEngine> | undefined)?.definition)) {
    faults.add('engine', `is ${show(engine)}, not what with(…) of a log engine returns`)
  }
  faults.whole('openTimeoutMs', openTimeoutMs, 1, delayMsMax)
  const log = fillLogOptions(listener, faults)
  const config: LogServerConfig = {
    id,
    engine,
    ...fillRetention(retention ?? {}, faults),
    openTimeoutMs,
    log,
    limits: fillLimits(limits, faults, { ...defaultLimits(), ...limitsFor(log) }),
    listener: {
      ...fillAcceptorOptions(listener, faults),
      ...(listener.tls === undefined ? {} : { tls: listener.tls }),
    },
  }
  faults.throwIfAny('BAD_CONFIG', subject)
  return config
}

function fillRetention(
  options: LogRetentionOptions,
  faults: Faults,
): Pick<LogServerConfig, 'retention' | 'retentionIntervalMs'> {
  faults.options('retention', options, ['ageMs', 'partitionBytesMax', 'producerAgeMs', 'intervalMs'])
  const ever = Number.POSITIVE_INFINITY
  const { ageMs = ever, partitionBytesMax = ever, producerAgeMs = 7 * day, intervalMs = 60_000 } = options
  const within = faults.within('retention')
  within.number('ageMs', ageMs, 1, ever)
  within.number('partitionBytesMax', partitionBytesMax, 1, ever)
  within.number('producerAgeMs', producerAgeMs, 1, ever)
  within.whole('intervalMs', intervalMs, 1, delayMsMax)
  return { retention: { ageMs, partitionBytesMax, producerAgeMs }, retentionIntervalMs: intervalMs }
}

/** What a limit is longer than the time of a request. */
const marginMs = 1_000

/** Frames beyond the one in hand that a connection may have in flight, or waiting as output. */
const framesInFlight = 2

/** Limits that give every request its time, and the largest frame its room. */
function limitsFor({ requestTimeoutMs, frameBytesMax }: FilledLogOptions): Partial<ServerLimits> {
  const { handlerTimeoutMs, drainTimeoutMs, inFlightBytesMax, outputBytesMax } = serverLimitDefaults
  return {
    handlerTimeoutMs: Math.max(handlerTimeoutMs, requestTimeoutMs + marginMs),
    drainTimeoutMs: Math.max(drainTimeoutMs, requestTimeoutMs + marginMs),
    bodyBytesMax: frameBytesMax,
    inFlightBytesMax: Math.max(inFlightBytesMax, frameBytesMax),
    outputBytesMax: Math.max(outputBytesMax, framesInFlight * (frameBytesMax + inFlightBytesMax)),
  }
}
