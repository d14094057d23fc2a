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
export const addressLengthMax = 4_096

/** What can be an address: a text that is not empty, and not too long. */
export function checkAddress(call: string, argument: string, value: unknown): asserts value is string {
  checkText(call, argument, value)
  if (value.length > addressLengthMax)
    throw badArgument(call, argument, `is ${value.length} characters long, more than ${addressLengthMax}`)
}

/** What can be sent: an object with a type. */
export function checkEvent(call: string, event: unknown): asserts event is { readonly type: string } {
  const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined
  if (typeof type !== 'string') {
    throw badArgument(call, 'event', `is ${show(event)}, not an object whose type is a string`)
  }
  // They would end the chart, or look like its own done and error events.
  if (type.startsWith('xstate.')) throw badArgument(call, 'event', `is of the type ${type}: xstate.* are XState's own`)
}
