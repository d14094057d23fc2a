/**
 * Checks of what callers hand over beside options: a fault of the caller is told at once as BAD_CONFIG that names the call
 * and the argument, before anything is done.
 */
import { StarfishError } from './errors.ts'
import { show } from './option-faults.ts'

/** The error of a bad argument: `details` name the call and the argument. */
export function badArgument(call: string, argument: string, reason: string): StarfishError {
  return new StarfishError('BAD_CONFIG', `${call}: ${argument} ${reason}`, {
    details: { call, option: argument },
    handled: 'no',
  })
}

/** A text that is not empty. */
export function checkText(call: string, argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '')
    throw badArgument(call, argument, `is ${show(value)}, not a string that is not empty`)
}

/** The longest address that can be named, in UTF-16 units. */
const addressLengthMax = 4_096

/** Says so of an address, or an id, that is too long. */
export function lengthFault(address: string): string | undefined {
  if (address.length <= addressLengthMax) return undefined
  return `is ${address.length} characters long, more than ${addressLengthMax}`
}

/** What can be an address: a text that is not empty, and not too long. */
export function checkAddress(call: string, argument: string, value: unknown): asserts value is string {
  checkText(call, argument, value)
  const fault = lengthFault(value)
  if (fault !== undefined) throw badArgument(call, argument, fault)
}

/** The type of what may be an event; undefined when it has none, or throws when it is asked. */
export function typeOf(event: unknown): string | undefined {
  try {
    const type: unknown = (event as { readonly type?: unknown } | null | undefined)?.type
    return typeof type === 'string' ? type : undefined
  } catch {
    return undefined
  }
}

/** What can be sent: an object with a type. */
export function checkEvent(call: string, event: unknown): asserts event is { readonly type: string } {
  const type = typeof event === 'object' ? typeOf(event) : undefined
  if (type === undefined) {
    throw badArgument(call, 'event', `is ${show(event)}, not an object whose type is a string`)
  }
  // They would end the chart, or look like its own done and error events.
  if (type.startsWith('xstate.')) throw badArgument(call, 'event', `is of the type ${type}: xstate.* are XState's own`)
}
