/** The check of what a request is asked with. */
import { createFaults, type OptionFault, show } from '../../../messages/option-faults.ts'
import { notSent } from '../client-options.ts'

/** The options that every request has. */
export const requestOptions = ['timeoutMs', 'signal'] as const

/** Throws what is wrong with the arguments of a request. */
export function checkArguments(
  given: object,
  known: readonly string[],
  faults: readonly (OptionFault | undefined)[],
): void {
  const found = faults.filter(fault => fault !== undefined)
  createFaults('', found).options('', given, known)
  if (found.length > 0) throw notSent(found)
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
