/**
 * Faults drawn from a seed. Pure: the same seed and options draw the same faults, whatever the system does with them.
 */
import { createRandom, type Random } from '../actors/runtime/clock.ts'
import { badFault, checkNames, checkWhole, faultMaxMs, victimOf } from './check-fault.ts'
import type { CrashHow, Fault, Target, Victim } from './fault.ts'

/** The faults that can be drawn; those of a crash by how it happens. */
export type FaultName = 'kill' | CrashHow | 'stall' | 'pause' | 'drop' | 'delay'

/** What faults are drawn from. */
export interface DrawOptions {
  /** Mean time between two faults, ms; drawn from half of it to one and a half. */
  readonly everyMs: number
  /** Which faults; one that is named twice comes twice as often. By default those that cost an actor at most itself. */
  readonly faults?: readonly FaultName[]
  /** Whom they hit. Drops and delays are between two actors among them. */
  readonly targets: readonly Target[]
}

/** A fault with its time. */
export interface ScheduledFault {
  /** When, ms from the start of the schedule. */
  readonly atMs: number
  readonly fault: Fault
  /** When a fault that lasts is lifted, ms after it began. */
  readonly forMs?: number
}

/** Faults in order of time, and the seed they were drawn from. */
export interface Schedule {
  readonly seed: number
  readonly faults: readonly ScheduledFault[]
}

/** {@link DrawOptions} in which nothing is left open. */
export interface FilledDrawOptions {
  readonly everyMs: number
  readonly faults: readonly FaultName[]
  readonly victims: readonly Victim[]
}

const defaultFaults: readonly FaultName[] = ['kill', 'throw', 'reject', 'pause']
const faultNames: readonly FaultName[] = [
  'kill',
  'throw',
  'reject',
  'exit',
  'outOfMemory',
  'stall',
  'pause',
  'drop',
  'delay',
]
/** Names of {@link DrawOptions}. */
export const drawOptionNames = ['everyMs', 'faults', 'targets'] as const
const seedMax = 2 ** 32 - 1

/** Draws `count` faults. Throws BAD_CONFIG. */
export function drawSchedule(seed: number, options: DrawOptions & { readonly count: number }): Schedule {
  checkNames('drawSchedule', options, [...drawOptionNames, 'count'])
  checkWhole('count', options.count, 0, 1_000_000)
  const drawn = drawFaults(seed, resolveDrawOptions(options))
  return { seed, faults: Array.from({ length: options.count }, () => drawn.next().value) }
}

/** Fills the defaults in and checks what is given. Throws BAD_CONFIG. */
export function resolveDrawOptions({ everyMs, faults = defaultFaults, targets }: DrawOptions): FilledDrawOptions {
  checkWhole('everyMs', everyMs, 1, faultMaxMs / 2)
  if (!Array.isArray(faults)) throw badFault('faults', faults, 'an array')
  if (!Array.isArray(targets)) throw badFault('targets', targets, 'an array')
  const stranger = faults.find(name => !faultNames.includes(name))
  if (stranger !== undefined) throw badFault('faults', stranger, `out of ${faultNames.join(', ')}`)
  if (faults.length === 0) throw badFault('faults', faults, 'one fault at least')
  if (targets.length === 0) throw badFault('targets', targets, 'one target at least')
  const victims = targets.map(victimOf)
  const between = faults.find(name => name === 'drop' || name === 'delay')
  if (between !== undefined && actorsOf(victims).length < 2) {
    throw badFault('targets', targets.length, `two actors at least for ${between}`)
  }
  return { everyMs, faults, victims }
}

/** Draws faults without end. Throws BAD_CONFIG for a seed that is no unsigned 32-bit number. */
export function drawFaults(seed: number, options: FilledDrawOptions): Iterator<ScheduledFault, never> {
  checkWhole('seed', seed, 0, seedMax)
  const random = createRandom(seed)
  let atMs = 0
  return {
    next() {
      atMs += around(random, options.everyMs)
      return { done: false, value: { atMs, ...drawFault(random, options) } }
    },
  }
}

function drawFault(random: Random, { everyMs, faults, victims }: FilledDrawOptions): Omit<ScheduledFault, 'atMs'> {
  const name = pick(random, faults)
  switch (name) {
    case 'kill':
      return { fault: { kind: 'kill', ...pick(random, victims) } }
    case 'stall':
      return { fault: { kind: 'stall', forMs: around(random, everyMs), ...pick(random, victims) } }
    case 'pause':
      return { fault: { kind: 'pause', ...pick(random, victims) }, forMs: around(random, everyMs) }
    case 'drop':
    case 'delay':
      return { fault: drawTraffic(random, name, everyMs, actorsOf(victims)), forMs: around(random, everyMs) }
    default:
      return { fault: { kind: 'crash', how: name, ...pick(random, victims) } }
  }
}

function drawTraffic(random: Random, kind: 'drop' | 'delay', everyMs: number, actors: readonly string[]): Fault {
  const from = pick(random, actors)
  const to = pick(
    random,
    actors.filter(actor => actor !== from),
  )
  if (kind === 'delay') return { kind, from, to, delayMs: around(random, everyMs) }
  return { kind, from, to, ratio: pick(random, [0.25, 0.5, 1]), seed: Math.floor(random() * seedMax) }
}

/** From a half of `ms` to one and a half, whole milliseconds, 1 at least. */
function around(random: Random, ms: number): number {
  return Math.max(1, Math.round(ms * (0.5 + random())))
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!
}

/** The different actors among victims. */
function actorsOf(victims: readonly Victim[]): string[] {
  return [...new Set(victims.flatMap(({ target }) => (target === undefined ? [] : [target])))]
}
