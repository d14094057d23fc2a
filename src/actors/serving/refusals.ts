/** The counters of what a server refuses. */

/**
 * What a server refuses, and whom it cuts off: a counter for each in its figures. Those of requests were answered, those
 * of connections that had said nothing, or read nothing, could not be.
 */
export const refusalKinds = [
  /** Connections over a limit that were closed without a word: too many were being told so. */
  'connectionsDropped',
  /** TLS handshakes that were not done in time. */
  'handshakesLate',
  /** Connections that said nothing for too long. */
  'connectionsIdle',
  /** Headers that did not come whole in time. */
  'headersLate',
  /** Headers that are none of the protocol, or for another server; or that their handler refused as such. */
  'headersInvalid',
  /** Bodies that were declared larger than they may be. */
  'bodiesTooLarge',
  /** Bodies that did not come whole: stalled, too slow, cut off. */
  'bodiesLate',
  /** Bodies that cannot be opened, or of which their handler can make nothing. */
  'bodiesInvalid',
  /** Requests for what the server does not do. */
  'commandsUnknown',
  /** Requests for which there was no memory. */
  'requestsWithoutMemory',
  /** Requests that came while the shard had too many in hand, or drained; or for which their handler had no room. */
  'requestsOverload',
  /** Requests whose handler was not done in time. */
  'commandsLate',
  /** Requests whose handler failed. */
  'commandsFailed',
  /** Connections that waited for their handlers for too long. */
  'handlersLate',
  /** Connections whose peer did not read in time. */
  'readersLate',
  /** Connections with more answers waiting than there is room for. */
  'outputOverflows',
  /** Times that a listener stopped accepting because the process had no descriptor left. */
  'descriptorsExhausted',
] as const

/** The name of a counter. */
export type RefusalKind = (typeof refusalKinds)[number]
