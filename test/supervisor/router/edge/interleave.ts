/**
 * Runs one thread's step at any chosen atomic operation of another's, on one thread. Where it matters to what is promised
 * who of two threads was first they meet in `Atomics`: plain stores and looks only tell what has come to an end.
 */
const operations = ['load', 'store', 'exchange', 'compareExchange'] as const

/**
 * Runs `step`, and `intruder` just before its atomic operation number `at` (from 0). Returns how many operations `step`
 * made, those of the intruder not counted; the intruder did not run when `at` is not among them.
 */
export function interleave(step: () => void, at: number, intruder: () => void): number {
  const originals = operations.map(name => Atomics[name])
  let count = 0
  let inside = false
  operations.forEach((name, index) => {
    const original = originals[index] as (...args: unknown[]) => unknown
    Object.assign(Atomics, {
      [name]: (...args: unknown[]) => {
        if (!inside && count++ === at) {
          inside = true
          intruder()
          inside = false
        }
        return original(...args)
      },
    })
  })
  try {
    step()
  } finally {
    operations.forEach((name, index) => void Object.assign(Atomics, { [name]: originals[index] }))
  }
  return count
}

/** Calls `scenario` with 0, 1, 2 … until the place it is given lies past the end of what it interleaves. */
export function everyPlace(scenario: (at: number) => number): number {
  let places = 0
  for (let at = 0; at <= places; at++) places = scenario(at)
  return places
}
