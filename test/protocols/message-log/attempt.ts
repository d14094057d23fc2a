/** What a call throws or rejects with, as a promise. */
export async function attempt<T>(call: () => T | Promise<T>): Promise<T> {
  return call()
}
