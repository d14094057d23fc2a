/** The check of what a request is asked with. */
import { createFaults, type OptionFault, show } from '../../../messages/option-faults.ts'
import { notSent } from '../client-options.ts'

/** The options that every request has. */
export const requestOptions = ['timeoutMs', 'signal'] as const

/** Throws the faults of a request, if it has any. */
export function checkFaults(...faults: readonly (OptionFault | undefined)[]): void {
  if (faults.every(fault => fault === undefined)) return
  throw notSent(faults.filter(fault => fault !== undefined))
}

/** What is wrong with options: the first that is not known. */
export function optionsFault(given: object, known: readonly string[]): OptionFault | undefined {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    let hasOthers = false
    for (const name in given) hasOthers ||= !known.includes(name) && given[name as never] !== undefined
    if (!hasOthers) return undefined
  }
  // Costly: made when there is a fault.
  const found: OptionFault[] = []
  createFaults('', found).options('', given, known)
  return found[0]
}

/** What is wrong with a text that must not be empty. */
export function textFault(path: string, value: string): OptionFault | undefined {
  if (typeof value === 'string' && value !== '') return undefined
  return { path, reason: `is ${show(value)}, not a string that is not empty` }
}

/** What is wrong with a whole number: an u32 unless it says otherwise. */
export function wholeFault(path: string, value: number, least = 0, most = 0xffff_ffff): OptionFault | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined
  return { path, reason: `is ${show(value)}, not a whole number from ${least} to ${most}` }
}
