/** What every message of the log protocol shares: types, statuses, errors, flags, sizes. All tables are append-only. */

/** The version of every operation that the package has. */
export const LOG_VERSION = 1

/** Bytes of a request before its payload. */
export const LOG_REQUEST_HEADER_BYTES = 16

/** Bytes of a response before its payload. */
export const LOG_RESPONSE_HEADER_BYTES = 15

/** Bytes of the checksum behind the payload. */
export const LOG_CRC_BYTES = 4

/** The largest length that a request may declare unless a server is told otherwise, in bytes. */
export const LOG_FRAME_BYTES_MAX = 16_777_216

/** The types of a request, by name. */
export const logType = {
  produce: 1,
  fetch: 2,
  getOffset: 3,
  createTopic: 4,
  deleteTopic: 5,
  listTopics: 6,
  healthCheck: 7,
} as const

/** The statuses of a response, by name. */
export const logStatus = {
  ok: 0,
  /** The payload is a text that says more than the error code. */
  error: 1,
  /** Produce only: a prefix of the batch was stored; the error code says why not the rest. */
  partial: 2,
} as const

/** A status as it travels. */
export type LogStatus = (typeof logStatus)[keyof typeof logStatus]

/** The error codes of a response, by name. */
export const logError = {
  none: 0,
  /** The server has no such type, or not in that version. */
  unknownRequest: 1,
  /** Flags or payload are against the grammar of the request. */
  invalidRequest: 2,
  offsetOutOfRange: 3,
  /** The checksum is wrong; the connection ends. */
  corruptMessage: 4,
  partitionNotFound: 5,
  /** Of a Produce: the outcome is unknown. */
  requestTimeout: 6,
  /** Of a Produce: the outcome is unknown. */
  storageError: 7,
  topicNotFound: 8,
  topicExists: 9,
} as const

/** The name of an error code. */
export type LogErrorName = keyof typeof logError

/** An error code as it travels. */
export type LogErrorCode = (typeof logError)[LogErrorName]

/** The bits of a request's flags, by name. */
export const logFlag = {
  /** Two bits: one of {@link acknowledgements}, as its index. */
  acknowledgement: 0b0011,
  /** The payload of a Produce begins with `producerId u64 | sequence u32`. */
  producer: 0b0100,
  /** The payload of a Fetch ends with `maxWaitMs u32 | minBytes u32`. */
  longPoll: 0b1000,
} as const

/**
 * When a Produce is answered: once it is `committed` (a killed process loses nothing), `received` (it is in hand), or
 * `flushed` (a power cut loses nothing). The index is what travels.
 */
export const acknowledgements = ['committed', 'received', 'flushed'] as const

/** One of {@link acknowledgements}. */
export type Acknowledgement = (typeof acknowledgements)[number]
