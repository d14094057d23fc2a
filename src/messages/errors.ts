/**
 * Every error that Starfish raises, with the one table of their codes.
 *
 * An error says what failed (`code`), who is to blame (`details`), whether another try may succeed (`retryable`) and,
 * when it settles a request, whether the message was handled (`handled`).
 */

/** Whether a request reached its handler: `no` means certainly not, so a retry is safe; `unknown` means it may have. */
export type Handled = 'no' | 'unknown'

interface ErrorFacts {
  readonly retryable: boolean
  readonly meaning: string
}

/** The table of codes: what each means and whether the same call may succeed later. Append-only. */
export const errorCodes = {
  ACTOR_DIED: { retryable: true, meaning: 'the actor ended before it answered' },
  ASK_TIMEOUT: { retryable: true, meaning: 'no answer came before the deadline' },
  ASK_ABORTED: { retryable: false, meaning: 'the caller aborted the request' },
  BAD_CONFIG: { retryable: false, meaning: 'an option or an argument cannot be used' },
  BAD_FRAME: { retryable: false, meaning: 'bytes do not follow the grammar of the protocol' },
  BAD_SPEC: { retryable: false, meaning: 'a child or supervisor specification is not valid' },
  BAD_SNAPSHOT: { retryable: false, meaning: 'a persisted state does not fit the chart it is restored into' },
  CHART_MISUSED: { retryable: false, meaning: 'an instance of a compiled chart was used out of turn' },
  CHART_NOT_COMPILABLE: { retryable: false, meaning: 'the chart uses a feature the compiler refuses' },
  CHILD_ALREADY_PRESENT: {
    retryable: false,
    meaning: 'the supervisor has a child of that id that does not run: restart or delete it',
  },
  CHILD_ALREADY_STARTED: { retryable: false, meaning: 'the supervisor has a running child of that id' },
  CHILD_NOT_FOUND: { retryable: false, meaning: 'the supervisor has no child of that id' },
  CHILD_RUNNING: { retryable: false, meaning: 'the child runs, so it cannot be restarted or deleted' },
  CHILD_RESTARTING: { retryable: true, meaning: 'the child is being restarted' },
  CONTROL_TIMEOUT: { retryable: true, meaning: 'a shard did not answer a control call in time' },
  DEFINITION_IN_ENTRY: { retryable: false, meaning: 'the module of a definition is the entry module of the program' },
  DEFINITION_NOT_FOUND: {
    retryable: false,
    meaning: 'the module of a definition cannot be loaded, or has no such export',
  },
  DUPLICATE_ADDRESS: { retryable: false, meaning: 'an actor with that address exists already' },
  DYNAMIC_SUPERVISOR: {
    retryable: false,
    meaning: 'a dynamic supervisor forgets children that ended, so it has none to restart or delete',
  },
  EVENT_FAILED: {
    retryable: false,
    meaning: 'a request of the event protocol is answered with another status than ok',
  },
  LISTEN_FAILED: { retryable: false, meaning: 'the address cannot be listened on' },
  MAILBOX_FULL: { retryable: true, meaning: 'the mailbox of the actor is full' },
  MAX_CHILDREN: { retryable: true, meaning: 'the dynamic supervisor has as many children as it may have' },
  NOT_CLONABLE: { retryable: false, meaning: 'a value cannot be copied to another thread' },
  NO_REPLY: { retryable: false, meaning: 'the chart does not answer that request in its present state' },
  NO_SUCH_ACTOR: { retryable: false, meaning: 'no actor has that address' },
  OVERLOADED: { retryable: true, meaning: 'a bounded queue is full' },
  PORT_IN_USE: { retryable: false, meaning: 'somebody listens on that port already' },
  SHARD_DIED: { retryable: true, meaning: 'the worker thread of the shard ended' },
  SHARD_IN_WORKER: { retryable: false, meaning: 'a system cannot be created inside a worker of a system' },
  SHUTTING_DOWN: { retryable: false, meaning: 'the system is stopping' },
  START_FAILED: { retryable: true, meaning: 'the actor could not be started' },
  CLIENT_CLOSED: { retryable: false, meaning: 'the client was closed' },
  CONNECT_FAILED: { retryable: true, meaning: 'no connection to a server came up' },
  CONNECTION_LOST: { retryable: true, meaning: 'the connection ended before the answer came' },
  REQUEST_ABORTED: { retryable: false, meaning: 'the caller aborted the request to a server' },
  REQUEST_FAILED: { retryable: false, meaning: 'the server took the request and failed at it' },
  REQUEST_REFUSED: { retryable: false, meaning: 'the server takes no such request' },
  REQUEST_TIMEOUT: { retryable: true, meaning: 'a server did not answer before the deadline' },
  SERVER_OVERLOADED: { retryable: true, meaning: 'the server has no room for the request, or is draining' },
  SERVER_TIMEOUT: { retryable: true, meaning: 'the server gave up on the request at its own deadline' },
  OFFSET_OUT_OF_RANGE: { retryable: false, meaning: 'the partition has no message at that offset, nor is it its end' },
  PARTITION_NOT_FOUND: { retryable: false, meaning: 'no topic has a partition of that number' },
  STORAGE_FAILED: {
    retryable: true,
    meaning: 'the store of a message log cannot do it; `details.reason` says why, or the text of its server',
  },
  TOPIC_NOT_FOUND: { retryable: false, meaning: 'no topic has that name' },
  TOPIC_EXISTS: { retryable: false, meaning: 'a topic of that name exists already' },
} as const satisfies Record<string, ErrorFacts>

/** A code of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes

/** What {@link StarfishError} takes beside its code and message. */
export interface ErrorOptionsOf {
  /** Typed facts about the culprit: addresses, limits (unit in the name), reasons. Must survive structured clone. */
  readonly details?: Readonly<Record<string, unknown>>
  /** For errors that settle a request: whether its handler ran. */
  readonly handled?: Handled
  /** What raised it. */
  readonly cause?: unknown
}

/** The one error class of Starfish; tell errors apart by `code`. */
export class StarfishError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>
  /** Declared, not defined: an error that settles no request does not have it. */
  declare readonly handled?: Handled

  constructor(code: ErrorCode, message: string, options: ErrorOptionsOf = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StarfishError'
    this.code = code
    this.retryable = errorCodes[code].retryable
    this.details = options.details ?? {}
    if (options.handled !== undefined) this.handled = options.handled
  }
}

/** True for an error of Starfish, of the given code if one is named. */
export function isStarfishError(error: unknown, code?: ErrorCode): error is StarfishError {
  return error instanceof StarfishError && (code === undefined || error.code === code)
}
