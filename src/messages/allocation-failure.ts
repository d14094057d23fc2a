/** Tells "no memory" from other errors. */

/** True for what the engine, or Node.js, throws when it cannot get memory for a buffer. */
export function isAllocationFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return (
    code === 'ERR_MEMORY_ALLOCATION_FAILED' ||
    (error instanceof RangeError && /\ballocation failed$/.test(error.message))
  )
}
