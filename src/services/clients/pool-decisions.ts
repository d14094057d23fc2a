/** The decisions of a connection pool: pure functions of what it knows and the time. */

/** A connection, as far as it matters whether it may be dialed or used. */
export interface Choosable {
  readonly isUp: boolean
  /** A request waited in vain on it, or was told that there is no room: others are better. */
  readonly isWary: boolean
  /** It was told just now that there is no room: it is left alone for a while. */
  readonly isPaused: boolean
  readonly inFlight: number
  hasRoom(bytes: number): boolean
}

/**
 * The connection with the fewest requests in flight of those that are up, not paused, and have room. Wary ones, and the one that failed the
 * request before (`avoided`), only count with `isPicky` false.
 */
export function leastLoaded<C extends Choosable>(
  connections: readonly C[],
  bytes: number,
  avoided: object | undefined,
  isPicky: boolean,
): C | undefined {
  let least: C | undefined
  for (const connection of connections) {
    if (!connection.isUp || connection.isPaused || (isPicky && (connection.isWary || connection === avoided))) continue
    if (least !== undefined && connection.inFlight >= least.inFlight) continue
    if (connection.hasRoom(bytes)) least = connection
  }
  return least
}

/** Where a place of the pool is, as far as another dial of that server depends on it. */
export type PlaceState = 'idle' | 'trying' | 'up' | 'other'

/**
 * The place to dial next, if any: one dial of a server at a time, and after a failure none but the one that tries whether it
 * is back (half open, as of a circuit breaker).
 */
export function placeToDial<C extends { readonly place: PlaceState }>(places: readonly C[]): C | undefined {
  if (places.some(({ place }) => place === 'trying')) return undefined
  return places.find(({ place }) => place === 'idle')
}

/** What is known of a connection when it ends. */
export interface EndFacts {
  /** It answered a request beside the greeting. */
  readonly hasServed: boolean
  /** The server ended it in good order, and owed nothing. */
  readonly isClean: boolean
}

/**
 * Failures of a server in a row, after one more of its connections has ended. Of several that end together one counts; one
 * that never served anything always does.
 */
export function failuresAfter(failures: number, { hasServed, isClean }: EndFacts): number {
  if (!hasServed) return failures + 1
  return isClean ? failures : Math.max(1, failures)
}

/** What the watch over a connection that is up looks at; times on one clock, ms. */
export interface WatchFacts {
  readonly inFlight: number
  /** When something came last, or the connection came up. */
  readonly heardAtMs: number
  /** When the first of what is in flight was sent. */
  readonly busySinceMs: number
  readonly nowMs: number
  readonly idleTimeoutMs: number
  readonly silenceTimeoutMs: number
}

/** Milliseconds until a busy connection counts as silent, or one that is not busy as idle; 0 when it does. */
export function watchLeftMs(facts: WatchFacts): number {
  const { inFlight, heardAtMs, busySinceMs, nowMs, idleTimeoutMs, silenceTimeoutMs } = facts
  const dueMs = inFlight === 0 ? heardAtMs + idleTimeoutMs : Math.max(heardAtMs, busySinceMs) + silenceTimeoutMs
  return Math.max(0, dueMs - nowMs)
}
