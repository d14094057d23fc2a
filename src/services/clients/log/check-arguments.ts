/** The check of what a request is asked with. */
import { createFaults, type OptionFault, show } from '../../../messages/option-faults.ts'
import { notSent, timerMsMax } from '../client-options.ts'
import type { LogRequestOptions } from './log-requests.ts'

/** The options that every request has. */
export const requestOptions = ['timeoutMs', 'signal'] as const

/** Throws the faults of a request, if it has any. */
export function checkFaults(...faults: readonly (OptionFault | undefined)[]): void {
  if (faults.every(fault => fault === undefined)) return
  throw notSent(faults.filter(fault => fault !== undefined))
}

/** What is wrong with the options of a request: the first that is not known or cannot be used. */
export function requestFault(
  given: LogRequestOptions,
  known: readonly string[] = requestOptions,
): OptionFault | undefined {
  return optionsFault(given, known, 'options') ?? timeoutFault(given.timeoutMs) ?? signalFault(given.signal)
}

/** What is wrong with a deadline. */
export function timeoutFault(timeoutMs: number | undefined): OptionFault | undefined {
  const isRight = typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= timerMsMax
  if (timeoutMs === undefined || isRight) return undefined
  return { path: 'timeoutMs', reason: `is ${show(timeoutMs)}, not above 0 and up to ${timerMsMax}` }
}

/** What is wrong with a signal. */
export function signalFault(signal: AbortSignal | undefined): OptionFault | undefined {
  if (signal === undefined) return undefined
  const isRight = typeof signal === 'object' && typeof signal?.aborted === 'boolean' && 'addEventListener' in signal
  return isRight ? undefined : { path: 'signal', reason: `is ${show(signal)}, not an AbortSignal` }
}

/** What is wrong with a list of ids of partitions, each of which may be in it once. */
export function partitionsFault(path: string, partitions: readonly number[]): OptionFault | undefined {
  if (!Array.isArray(partitions)) return { path, reason: `is ${show(partitions)}, not a list of ids` }
  for (let at = 0; at < partitions.length; at++) {
    const fault = wholeFault(`${path}[${at}]`, partitions[at])
    if (fault !== undefined) return fault
    if (partitions.indexOf(partitions[at]) < at) return { path: `${path}[${at}]`, reason: `is ${partitions[at]} again` }
  }
  return undefined
}

/** What is wrong with options, which are at `path`: the first that is not known. */
export function optionsFault(given: object, known: readonly string[], path = ''): OptionFault | undefined {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    let hasOthers = false
    for (const name in given) hasOthers ||= !known.includes(name) && given[name as never] !== undefined
    if (!hasOthers) return undefined
  }
  // Costly: made when there is a fault.
  const found: OptionFault[] = []
  const isObject = createFaults('', found).options('', given, known)
  return isObject ? found[0] : found.map(fault => ({ ...fault, path }))[0]
}

/** What is wrong with the name of a topic. UTF-8 has no surrogate without its other: U+FFFD in its place is another name. */
export function topicFault(path: string, name: string): OptionFault | undefined {
  if (typeof name !== 'string' || name === '') {
    return { path, reason: `is ${show(name)}, not a string that is not empty` }
  }
  return name.isWellFormed() ? undefined : { path, reason: `is ${show(name)}, which is not well-formed` }
}

/** What is wrong with a whole number: an u32 unless it says otherwise. */
export function wholeFault(path: string, value: number, least = 0, most = 0xffff_ffff): OptionFault | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined
  return { path, reason: `is ${show(value)}, not a whole number from ${least} to ${most}` }
}
