/** How many file descriptors the process may have, and what of them is for connections. */
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { descriptorReserve } from '../../messages/limits.ts'

let limit: number | undefined

/**
 * Descriptors that this process may have: the soft limit, which Node.js raises to the hard one when it starts. Infinity where
 * there is none, or the system has no such limit.
 */
export function descriptorLimit(): number {
  limit ??= readLimit()
  return limit
}

/** The system's answer is in the diagnostic report, whose part about the network would look up names. */
function readLimit(): number {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report
  const { excludeNetwork = false } = report
  report.excludeNetwork = true
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft: number | 'unlimited' } } }
  report.excludeNetwork = excludeNetwork
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY
}

/** The connections that so many descriptors are enough for: all but the reserve, but no fewer than half. */
export function connectionsFor(descriptors: number): number {
  return Math.max(1, descriptors - descriptorReserve, Math.floor(descriptors / 2))
}

/** True when the process, or the system, has fewer than `spare` descriptors left. */
export function descriptorsExhausted(spare: number): boolean {
  const opened: number[] = []
  try {
    while (opened.length < spare) opened.push(openSync(devNull, 'r'))
    return false
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'EMFILE' || code === 'ENFILE'
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}
