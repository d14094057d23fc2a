/** What every message of the event protocol shares: version, statuses, built-in commands, the size of the header. */

/** The one version of the event protocol. */
export const EVENT_VERSION = 1

/** Bytes of the header of requests and responses. */
export const EVENT_HEADER_BYTES = 16

/** The largest body unless a server is told otherwise, in bytes. */
export const EVENT_BODY_BYTES_MAX = 65_536

/** The statuses of a response, by name. Append-only. */
export const eventStatus = {
  ok: 0,
  invalidPacketLength: 1,
  memoryAlloc: 2,
  /** A version other than 1, or the `raidaId` of another server. */
  invalidHeader: 3,
  bodyTooLarge: 4,
  unknownCommand: 5,
  /** The server has no room or is draining; the request was not handled. */
  overloaded: 6,
  /** The body did not come whole, or too slowly. */
  timeout: 7,
  decryptFailed: 8,
  handlerFailed: 9,
  /** UDP only: repeat the request with the cookie of the body. */
  cookieRequired: 10,
} as const

/** The name of a status. */
export type EventStatusName = keyof typeof eventStatus

/** A status as it travels. */
export type EventStatus = (typeof eventStatus)[EventStatusName]

/** The commands that every event server knows. */
export const eventCommand = {
  /** Answers the body of the request. */
  echo: 0,
  /** Answers the server's time, u64 ms since the epoch; ignores the body of the request. */
  ping: 1,
} as const
