import { setTimeout as pause } from 'node:timers/promises'

/** Between two calls, ms: short, but those who refuse at once are not to take the processor from those who come back. */
const pauseMs = 5

/** Calls until the store does not refuse any more, as a client would. */
export async function untilBack<T>(call: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if ((error as { code?: string }).code !== 'STORAGE_FAILED') throw error
      await pause(pauseMs)
    }
  }
}
