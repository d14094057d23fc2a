/** Refuses faults that make no sense before anything is done. */
import { StarfishError } from '../messages/errors.ts'
import { createFaults } from '../messages/option-faults.ts'
import type { CrashHow, DropFault, Fault, Target, TrafficFault, Victim } from './fault.ts'
import type { Schedule } from './schedule.ts'

/** Longest that a fault may be asked to stall or to delay, ms. */
export const faultMaxMs = 600_000

const crashHows: readonly CrashHow[] = ['throw', 'reject', 'exit', 'outOfMemory']

const victimFields = ['target', 'shard']
const wayFields = ['from', 'to']
const fieldsOf: Readonly<Record<Fault['kind'], readonly string[]>> = {
  kill: victimFields,
  pause: victimFields,
  crash: [...victimFields, 'how'],
  stall: [...victimFields, 'forMs'],
  drop: [...wayFields, 'count', 'ratio', 'seed'],
  delay: [...wayFields, 'delayMs'],
}

/** Checks that options have no other names than those. Throws BAD_CONFIG that names the nearest. */
export function checkNames(call: string, options: object, known: readonly string[]): void {
  const faults = createFaults()
  faults.options('', options, known)
  faults.throwIfAny('BAD_CONFIG', `bad options of ${call}`)
}

/** The victim that a verb's target means. Throws BAD_CONFIG for what is no target. */
export function victimOf(target: Target): Victim {
  if (typeof target === 'string') return { target }
  if ('address' in target && typeof target.address === 'string') return { target: target.address }
  if ('shard' in target) return { shard: target.shard }
  throw badFault('target', target, 'an address, a reference or { shard }')
}

/** Checks a fault that was given as data. Throws BAD_CONFIG, naming the field. */
export function checkFault(fault: Fault): void {
  if (typeof fault !== 'object' || fault === null) throw badFault('fault', fault, 'an object with a kind')
  if (Object.hasOwn(fieldsOf, fault.kind)) checkNames(fault.kind, fault, ['kind', ...fieldsOf[fault.kind]])
  switch (fault.kind) {
    case 'kill':
    case 'pause':
      checkVictim(fault)
      break
    case 'crash':
      checkVictim(fault)
      if (!crashHows.includes(fault.how)) throw badFault('how', fault.how, `one of ${crashHows.join(', ')}`)
      break
    case 'stall':
      checkVictim(fault)
      checkWhole('forMs', fault.forMs, 1, faultMaxMs)
      break
    case 'drop':
      checkWay(fault)
      checkDrop(fault)
      break
    case 'delay':
      checkWay(fault)
      checkWhole('delayMs', fault.delayMs, 1, faultMaxMs)
      break
    default:
      throw badFault('kind', (fault as { kind?: unknown }).kind, 'one of kill, crash, stall, pause, drop, delay')
  }
}

/** Checks that a schedule has faults with their times; each fault is checked when its time has come. Throws BAD_CONFIG. */
export function checkSchedule(schedule: Schedule): void {
  if (typeof schedule !== 'object' || schedule === null || !Array.isArray(schedule.faults)) {
    throw badFault('schedule', schedule, 'one of drawSchedule, or { seed, faults }')
  }
  for (const { atMs } of schedule.faults) {
    if (!(typeof atMs === 'number' && atMs >= 0)) throw badFault('atMs', atMs, 'a number of milliseconds, 0 or more')
  }
}

/** Checks that a number is whole and in its range. Throws BAD_CONFIG. */
export function checkWhole(option: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw badFault(option, value, `a whole number from ${min} to ${max}`)
  }
}

/** The error for an option that has the wrong value. */
export function badFault(option: string, value: unknown, wanted: string): StarfishError {
  const text = `${option} has to be ${wanted}, not ${JSON.stringify(value)}`
  return new StarfishError('BAD_CONFIG', text, { details: { option, wanted } })
}

function checkVictim({ target, shard }: Victim): void {
  if (target !== undefined && shard !== undefined) throw badFault('shard', shard, 'left out where there is a target')
  if (shard === undefined) checkAddress('target', target)
}

function checkAddress(option: string, address: unknown): void {
  if (typeof address !== 'string' || address === '') throw badFault(option, address, 'an address')
  if (address.startsWith('$')) throw badFault(option, address, 'an address of your own: $ is reserved')
}

function checkWay({ from, to }: TrafficFault): void {
  if (from !== null) checkAddress('from', from)
  checkAddress('to', to)
}

function checkDrop({ count, ratio, seed = 1 }: DropFault): void {
  if (count !== undefined && ratio !== undefined) throw badFault('ratio', ratio, 'left out where there is a count')
  if (count !== undefined) checkWhole('count', count, 1, Number.MAX_SAFE_INTEGER)
  if (ratio !== undefined && !(ratio > 0 && ratio <= 1)) throw badFault('ratio', ratio, 'above 0 and at most 1')
  checkWhole('seed', seed, 0, 2 ** 32 - 1)
}
