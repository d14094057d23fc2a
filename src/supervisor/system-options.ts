/** The options of a system: what may be left out, and how it is filled in. */
import { availableParallelism } from 'node:os'
import pino, { type Logger } from 'pino'
import { type Clock, isVirtualClock, type Random, systemClock } from '../actors/runtime/clock.ts'
import { createFaults, type Faults } from '../messages/option-faults.ts'
import { timerMsMax, withoutUndefined } from './option-check.ts'

/** Options of `createSystem`. */
export interface SystemOptions {
  /** Worker threads. 0 runs everything on the calling thread. As many as the machine has processors by default. */
  readonly shards?: number
  /** Time; virtual only with `shards: 0`, since worker threads run on the real one. The process's clock by default. */
  readonly clock?: Clock
  /** Chance; seed it to repeat a run. `Math.random` by default. */
  readonly random?: Random
  /** Takes the records of every thread. One on stderr at level `warn` by default. */
  readonly logger?: Logger
  /** Dead letters that each thread lists; all are counted. 1,000 by default. */
  readonly deadLettersMax?: number
  /** A shard that could run and did not turn its event loop for so long is replaced, ms. 5,000 by default. */
  readonly stalledAfterMs?: number
  /** Most that the old heap of a shard may grow to, MiB; the platform's default when left out. */
  readonly shardHeapMb?: number
}

/** {@link SystemOptions}, filled in. */
export type FilledSystemOptions = Required<Omit<SystemOptions, 'shardHeapMb'>> & {
  readonly shardHeapMb: number | undefined
}

const defaults = {
  clock: systemClock,
  random: Math.random,
  deadLettersMax: 1_000,
  stalledAfterMs: 5_000,
  shardHeapMb: undefined,
}

/** The least heap with which a worker of Node.js starts. */
const heapMbMin = 8

/**
 * Checks the options and fills in what was left out.
 *
 * @throws StarfishError BAD_CONFIG whose `details.reasons` are all that is wrong, `{ path, reason }` each.
 */
export function resolveSystemOptions(options: SystemOptions): FilledSystemOptions {
  const faults = createFaults()
  const known = [...Object.keys(defaults), 'shards', 'logger']
  const given = faults.options('', options, known) ? withoutUndefined(options) : {}
  const shards = given.shards ?? availableParallelism()
  const filled = { ...defaults, ...given, shards }
  faults.whole('shards', filled.shards, 0, 1_024)
  faults.whole('deadLettersMax', filled.deadLettersMax, 0, 1_000_000)
  faults.whole('stalledAfterMs', filled.stalledAfterMs, 10, timerMsMax)
  if (filled.shardHeapMb !== undefined) faults.whole('shardHeapMb', filled.shardHeapMb, heapMbMin, 1_048_576)
  const isClock = hasMethods('clock', filled.clock, ['now', 'setTimeout', 'clearTimeout'], faults)
  if (isClock && shards !== 0 && isVirtualClock(filled.clock))
    faults.add('clock', 'is virtual, which goes with shards: 0')
  if (typeof filled.random !== 'function') faults.add('random', 'is no function')
  if (given.logger !== undefined) hasMethods('logger', given.logger, ['child', 'info', 'warn', 'error'], faults)
  faults.throwIfAny('BAD_CONFIG', 'bad options of createSystem')
  return { ...filled, logger: given.logger ?? pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true })) }
}

function hasMethods(option: string, value: unknown, methods: readonly string[], faults: Faults): boolean {
  const missing = methods.filter(method => typeof (value as Record<string, unknown> | null)?.[method] !== 'function')
  if (missing.length > 0) faults.add(option, `has no ${missing.join(', ')}`)
  return missing.length === 0
}
