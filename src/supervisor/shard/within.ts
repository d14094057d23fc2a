/** To wait for something, but not for ever. */
import type { Clock } from '../../actors/runtime/clock.ts'

/** What a promise settles with, if it does so in that time, ms; else undefined. Rejects as the promise does. */
export function within<T>(clock: Clock, promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = clock.setTimeout(() => resolve(undefined), ms)
  return Promise.race([promise, late]).finally(() => clock.clearTimeout(timer))
}
