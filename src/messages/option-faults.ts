/**
 * A list of what is wrong with options, gathered while they are read: all that is wrong is said at once, each fault with
 * the path of the option that has it.
 */
import { StarfishError } from './errors.ts'
import { nearestWord } from './nearest-word.ts'

/** One fault: where it is, such as `children[2].restart` (empty for the whole), and what it is. */
export interface OptionFault {
  readonly path: string
  readonly reason: string
}

/** Codes of bad options: those of a child or supervisor, and all others. */
export type OptionErrorCode = 'BAD_SPEC' | 'BAD_CONFIG'

/** The error that tells of faults. Its `details.reasons` list them, `details.option` names the first of BAD_CONFIG. */
export function optionError(code: OptionErrorCode, subject: string, faults: readonly OptionFault[]): StarfishError {
  const list = faults.map(({ path, reason }) => (path === '' ? `it ${reason}` : `${path} ${reason}`))
  const details = code === 'BAD_SPEC' ? { reasons: faults } : { option: faults[0]?.path, reasons: faults }
  return new StarfishError(code, `${subject}: ${list.join('; ')}`, { details })
}

/** Gathers the faults of options. Each check adds a fault unless the value is as it should be. */
export interface Faults {
  add(option: string, reason: string): void
  oneOf(option: string, value: unknown, allowed: readonly string[]): void
  boolean(option: string, value: unknown): void
  text(option: string, value: unknown): void
  /** A text that is not empty. */
  name(option: string, value: unknown): void
  /** A whole number from `min` to `max`; `or` names what else it may be. */
  whole(option: string, value: unknown, min: number, max: number, or?: string): void
  /** A number from `min` to `max`. */
  number(option: string, value: unknown, min: number, max: number): void
  /** An object with no other options than those; of one that is not known the nearest is named. False when it is no object. */
  options(option: string, value: unknown, known: readonly string[]): value is object
  /** The same list, for options one level further in. */
  within(path: string): Faults
  /** Whether none was added so far, at this level or further in. */
  readonly none: boolean
  /** @throws StarfishError of that code that names all of them after `subject`, unless there are none. */
  throwIfAny(code: OptionErrorCode, subject: string): void
}

/** An empty list of faults. */
export function createFaults(prefix = '', faults: OptionFault[] = []): Faults {
  const before = faults.length
  const pathOf = (option: string) => (prefix === '' || option === '' ? prefix + option : `${prefix}.${option}`)
  const add = (option: string, reason: string) => {
    faults.push({ path: pathOf(option), reason })
  }
  return {
    add,
    oneOf(option, value, allowed) {
      if (!allowed.includes(value as string)) add(option, `is ${show(value)}, not ${allowed.join(', ')}`)
    },
    boolean(option, value) {
      if (typeof value !== 'boolean') add(option, `is ${show(value)}, not true or false`)
    },
    text(option, value) {
      if (typeof value !== 'string') add(option, `is ${show(value)}, not a string`)
    },
    name(option, value) {
      if (typeof value !== 'string' || value === '') add(option, `is ${show(value)}, not a string that is not empty`)
    },
    whole(option, value, min, max, or = '') {
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
        add(option, `is ${show(value)}, not ${or}a whole number from ${min} to ${max}`)
    },
    number(option, value, min, max) {
      if (typeof value !== 'number' || !(value >= min && value <= max))
        add(option, `is ${show(value)}, not a number from ${min} to ${max}`)
    },
    options(option, value, known): value is object {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        add(option, `is ${show(value)}, not an object with options`)
        return false
      }
      const within = createFaults(pathOf(option), faults)
      for (const [key, given] of Object.entries(value)) {
        if (given !== undefined && !known.includes(key)) within.add(key, unknownReason(key, known))
      }
      return true
    },
    within: path => createFaults(pathOf(path), faults),
    get none() {
      return faults.length === before
    },
    throwIfAny(code, subject) {
      if (faults.length > 0) throw optionError(code, subject, faults)
    },
  }
}

function unknownReason(written: string, known: readonly string[]): string {
  const meant = nearestWord(written, known)
  return meant === undefined ? `is not known; known are ${known.join(', ')}` : `is not known: did you mean ${meant}?`
}

/** A value as it is shown in a text. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
