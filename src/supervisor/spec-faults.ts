/**
 * A list of what is wrong with a specification, gathered while it is read.
 */
import { StarfishError } from '../messages/errors.ts'

/** One fault: where it is, such as `children[2].restart` (empty for the whole), and what it is. */
export interface SpecFault {
  readonly path: string
  readonly reason: string
}

/** Gathers the faults of a spec. Each check adds a fault unless the value is as it should be. */
export interface Faults {
  add(option: string, reason: string): void
  oneOf(option: string, value: unknown, allowed: readonly string[]): void
  boolean(option: string, value: unknown): void
  /** A whole number from `min` to `max`; `or` names what else it may be. */
  whole(option: string, value: unknown, min: number, max: number, or?: string): void
  /** A number from `min` to `max`. */
  number(option: string, value: unknown, min: number, max: number): void
  /** The same list, for options one level further in. */
  within(path: string): Faults
  /** Whether none was added so far, at this level or further in. */
  readonly none: boolean
  /** @throws StarfishError BAD_SPEC that names all of them, unless there are none. */
  throwIfAny(): void
}

/** An empty list of faults. */
export function createFaults(prefix = '', faults: SpecFault[] = []): Faults {
  const before = faults.length
  const add = (option: string, reason: string) => {
    const path = prefix === '' || option === '' ? prefix + option : `${prefix}.${option}`
    faults.push({ path, reason })
  }
  return {
    add,
    oneOf(option, value, allowed) {
      if (!allowed.includes(value as string)) add(option, `is ${show(value)}, not ${allowed.join(', ')}`)
    },
    boolean(option, value) {
      if (typeof value !== 'boolean') add(option, `is ${show(value)}, not true or false`)
    },
    whole(option, value, min, max, or = '') {
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
        add(option, `is ${show(value)}, not ${or}a whole number from ${min} to ${max}`)
    },
    number(option, value, min, max) {
      if (typeof value !== 'number' || !(value >= min && value <= max))
        add(option, `is ${show(value)}, not a number from ${min} to ${max}`)
    },
    within: path => createFaults(prefix === '' ? path : `${prefix}.${path}`, faults),
    get none() {
      return faults.length === before
    },
    throwIfAny() {
      if (faults.length === 0) return
      const list = faults.map(({ path, reason }) => (path === '' ? `the spec ${reason}` : `${path} ${reason}`))
      throw new StarfishError('BAD_SPEC', `bad specification: ${list.join('; ')}`, { details: { reasons: faults } })
    },
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
