/** Checks of what users of a system hand over beside options, in addition to those that every thread makes. */
import { badArgument, checkAddress } from '../messages/argument-check.ts'
import type { StarfishError } from '../messages/errors.ts'
import { createFaults, show } from '../messages/option-faults.ts'
import { factKinds } from '../messages/thread/fact.ts'
import type { TreeQuery } from './kernel/actor-summary.ts'
import { isReserved } from './kernel/well-known.ts'
import { timerMsMax } from './option-check.ts'

/** The address of what is one, or has one. */
export function addressIn(call: string, target: unknown): string {
  const address = typeof target === 'object' && target !== null && 'address' in target ? target.address : target
  if (typeof address !== 'string' || address === '')
    throw badArgument(call, 'target', `is ${show(target)}, neither an address nor what has one`)
  checkAddress(call, 'target', address)
  return address
}

/** An address that is not one of the system's own supervisors. */
export function checkOpen(call: string, address: string): void {
  if (isReserved(address)) throw reservedTarget(call, address)
}

/** What is said of such an address. */
export function reservedTarget(call: string, address: string): StarfishError {
  return badArgument(call, 'target', `is ${address}, which only the system may tell and end`)
}

/** How long to wait, ms. */
export function checkDelay(call: string, delayMs: unknown): void {
  if (typeof delayMs === 'number' && delayMs >= 0 && delayMs <= timerMsMax) return
  throw badArgument(call, 'delayMs', `is ${show(delayMs)}, not a number from 0 to ${timerMsMax}`)
}

/** What is called back. */
export function checkListener(call: string, listener: unknown): void {
  if (typeof listener !== 'function') throw badArgument(call, 'listener', `is ${show(listener)}, no function`)
}

/** Which page of the tree is wanted. */
export function checkTreeQuery(query: unknown): void {
  const faults = createFaults()
  if (faults.options('', query, ['under', 'limit', 'after', 'hosted'])) {
    const { under, limit, after, hosted } = query as Record<keyof TreeQuery, unknown>
    if (under !== undefined) faults.text('under', under)
    if (after !== undefined) faults.text('after', after)
    if (hosted !== undefined) faults.boolean('hosted', hosted)
    if (limit !== undefined) faults.whole('limit', limit, 0, Number.MAX_SAFE_INTEGER)
  }
  faults.throwIfAny('BAD_CONFIG', 'tree')
}

/** Which facts are wanted. */
export function checkInspectOptions(options: unknown): void {
  const faults = createFaults()
  if (faults.options('', options, ['kinds', 'under', 'bufferMax'])) {
    const { kinds, under, bufferMax } = options as { kinds?: unknown; under?: unknown; bufferMax?: unknown }
    if (Array.isArray(kinds)) for (const [at, kind] of kinds.entries()) faults.oneOf(`kinds[${at}]`, kind, factKinds)
    else if (kinds !== undefined) faults.add('kinds', `is ${show(kinds)}, not an array`)
    if (under !== undefined) faults.text('under', under)
    if (bufferMax !== undefined) faults.whole('bufferMax', bufferMax, 1, Number.MAX_SAFE_INTEGER)
  }
  faults.throwIfAny('BAD_CONFIG', 'inspect')
}
