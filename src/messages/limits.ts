/**
 * What a server of framed messages allows, whatever its protocol: every queue, buffer, table and wait of the data plane,
 * with its unit in the name. All are numbers, so that they cross threads and can be written in a configuration file.
 */

/** The limits of one server. Those marked "server" hold across all its shards, "shard" for one, the others for each connection. */
export interface ServerLimits {
  /**
   * Server: connections open at once. One more is answered "overloaded" and closed. Left out, it is 512 fewer than the
   * process may have descriptors, where that is less.
   */
  readonly connectionsMax: number
  /** Server: connections open at once from one address. One more is answered "overloaded" and closed. */
  readonly connectionsPerAddressMax: number
  /** Shard: connections over a limit that are being told so; beyond that they are closed without a word. */
  readonly refusalsMax: number
  /** How long a refused connection has to send a header, so that the refusal can name its request. */
  readonly refusalWaitMs: number
  /** Server: bytes held of bodies that have not come whole. A body over it is answered "out of memory" and skipped. */
  readonly partialBytesMax: number
  /** The largest body of a frame, in bytes, as far as the protocol does not say less. */
  readonly bodyBytesMax: number
  /** TLS: from accept to the end of the handshake. */
  readonly handshakeTimeoutMs: number
  /** From the first byte of a header to its last. */
  readonly headerTimeoutMs: number
  /** How long a body may stand still before it is whole. */
  readonly bodyStallTimeoutMs: number
  /** The least rate at which a body must arrive, measured over each `bodyRateWindowMs`. */
  readonly bodyBytesPerSecondMin: number
  /** The window of `bodyBytesPerSecondMin`: a shorter one cuts off bursty senders, a longer one keeps slow ones longer. */
  readonly bodyRateWindowMs: number
  /** How long a connection may stay without a byte read while nothing is in flight. */
  readonly idleTimeoutMs: number
  /** How long output over the high-water mark, or what is left at the end, may wait without the peer taking a byte. */
  readonly writeStallTimeoutMs: number
  /** How long such output may wait for a slow reader, who must take `outputHighWaterBytes` in that time to get as much again. */
  readonly writeTimeoutMs: number
  /** How long a connection that is not being read may wait for any of its handlers. */
  readonly handlerTimeoutMs: number
  /** How long input is read and thrown away after the last answer, so that it is not lost to a reset. */
  readonly lingerMs: number
  /** Requests of one connection taken but not answered; at that number the server stops reading it. */
  readonly inFlightRequestsMax: number
  /** Bytes of those requests; at that number the server stops reading the connection. */
  readonly inFlightBytesMax: number
  /** Shard: requests of all its connections taken but not answered; one more is answered "overloaded". */
  readonly shardInFlightRequestsMax: number
  /** Shard: bytes of those requests; at that number further ones are answered "overloaded". */
  readonly shardInFlightBytesMax: number
  /** Output that waits for the socket; above it the server stops reading the connection. */
  readonly outputHighWaterBytes: number
  /** Output that waits, late answers included; above it the connection is reset. */
  readonly outputBytesMax: number
  /** Shard: output of all its connections that waits for their sockets; at that number none is read that has some waiting. */
  readonly shardOutputBytesMax: number
  /**
   * Draining: how long a connection must be silent, once its last answer was taken, before it is closed. Requests that arrive
   * are answered "overloaded".
   */
  readonly drainQuietMs: number
  /** Draining: how long a connection that is not silent is read at most, once its last answer was taken. */
  readonly drainReadMs: number
  /** Draining: when what is still open is destroyed. */
  readonly drainTimeoutMs: number
}

/** Descriptors that connections leave to the rest of the process, when nothing is said about `connectionsMax`. */
export const descriptorReserve = 512

/** The limits of a server that was told nothing else. */
export const serverLimitDefaults: ServerLimits = {
  connectionsMax: 65_535,
  connectionsPerAddressMax: 1_024,
  refusalsMax: 256,
  refusalWaitMs: 100,
  partialBytesMax: 268_435_456,
  bodyBytesMax: 65_536,
  handshakeTimeoutMs: 10_000,
  headerTimeoutMs: 2_000,
  bodyStallTimeoutMs: 2_000,
  bodyBytesPerSecondMin: 1_024,
  bodyRateWindowMs: 4_000,
  idleTimeoutMs: 60_000,
  writeStallTimeoutMs: 2_000,
  writeTimeoutMs: 10_000,
  handlerTimeoutMs: 30_000,
  lingerMs: 500,
  inFlightRequestsMax: 1_024,
  inFlightBytesMax: 4_194_304,
  shardInFlightRequestsMax: 65_536,
  shardInFlightBytesMax: 268_435_456,
  outputHighWaterBytes: 65_536,
  outputBytesMax: 4_194_304,
  shardOutputBytesMax: 268_435_456,
  drainQuietMs: 250,
  drainReadMs: 1_000,
  drainTimeoutMs: 8_000,
}
