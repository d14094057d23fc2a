/** What happens to one connection: the bytes, how they come, how the answers are taken, how it ends. */

/** Plain data, so that one that fails can be printed and tried again. */
export interface Scenario {
  /** Index of the server's profile. */
  readonly profile: number
  /** The connection is over a limit. */
  readonly refused: boolean
  readonly chunks: readonly Buffer[]
  /** Before which chunks time passes, and how much; never next to a deadline. */
  readonly gapsMs: readonly number[]
  /** The chunk before which the server is told to end the connection. */
  readonly drainAt: number | undefined
  /** Whether the peer takes its answers at once, when nothing else goes on, or never. */
  readonly reader: 'eager' | 'lazy' | 'gone'
  /** When answers that were put off are given: after each chunk, or when nothing else goes on. */
  readonly late: 'soon' | 'last'
  readonly ending: 'fin' | 'silence' | 'reset'
}

/** Cuts a stream at these places, as far as they lie in it. */
export function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const inside = [...new Set(places.map(place => place % (stream.length + 1)))].sort((a, b) => a - b)
  return [0, ...inside].map((from, index) => stream.subarray(from, inside[index] ?? stream.length))
}

/** A scenario as one line that says how to try it again. */
export function describeScenario({ chunks, ...rest }: Scenario): string {
  return JSON.stringify({ ...rest, chunks: chunks.map(chunk => chunk.toString('hex')) })
}
