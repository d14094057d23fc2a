/** How messages are sent, alike for what is measured and for its baseline. */

/** Messages sent in one turn of the event loop. */
export const batchMessages = 256

/** Messages that may be sent and not handled yet. */
export const windowMessages = 4_096

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
