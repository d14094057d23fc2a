/** Whether this thread is a shard: code that a shard loads cannot create a system of its own. */
let inside = false

/** Called once by the runner of a shard. */
export function markInsideShard(): void {
  inside = true
}

/** True on the thread of a shard. */
export function isInsideShard(): boolean {
  return inside
}
