/**
 * What makes an event server speak these headers and bodies and no others. The order of the checks (header, raidaId, length,
 * command) and what a fault costs its sender stay the server's; a dialect says where the fields are, what makes a header
 * and a body valid, and how an answer is written.
 *
 * ```
 * header whole -> validateHeader -> raidaId -> bodyBytes -> command        before a byte of the body is kept
 * body whole   -> validateDecryptBody -> the command's handler
 * answer       -> errorBody | sealBody, writeReplyHeader
 * ```
 * `bytes`, `at` say where a header begins; a dialect reads in place, keeps none of it, and is called for every request.
 */
import { type DefinitionKind, hasKind } from '../../actors/runtime/import-definition.ts'
import type { EventStatus } from '../../messages/event/status.ts'

/** The layout and the cryptography of a protocol of events. One value serves all connections of a shard. */
export interface EventDialect {
  /** Bytes of the header of a request. */
  readonly headerBytes: number
  /** Bytes of the header of an answer. */
  readonly replyHeaderBytes: number
  /**
   * The first check (version, magic, checksum). False: nothing that follows can be trusted, so the request is answered
   * `invalidHeader` and the connection ends.
   */
  validateHeader(bytes: Buffer, at: number): boolean
  /** The number of the server that the request is for. */
  raidaId(bytes: Buffer, at: number): number
  /** The length of the body behind the header, as it travels. */
  bodyBytes(bytes: Buffer, at: number): number
  /** What to do: an integer from 0 to 65,535. */
  command(bytes: Buffer, at: number): number
  /** What the client knows its request by: an integer, 0 or more. */
  sessionId(bytes: Buffer, at: number): number
  /**
   * Over UDP: true for a request that brings back the 16 bytes of a `cookieRequired`, between its header and its body and
   * counted by `bodyBytes`. Left out: no sender can prove its address, and a command that answers more than three times what
   * its request had has failed.
   */
  hasCookie?(bytes: Buffer, at: number): boolean
  /**
   * Opens the body of a whole request, which `frame` holds with its header, and answers what its command is to see: a
   * part of `frame` or bytes of its own. A cookie has been taken out; the header is as it travelled. A throw is answered
   * `decryptFailed`, one of `eventFailure` as that says; it costs the request only. Left out: bodies travel as they are.
   */
  validateDecryptBody?(frame: Buffer, sessionId: number): Uint8Array
  /** Seals the bodies of answers with status ok. Left out: they travel as they are. */
  readonly seal?: BodySeal
  /** The body of an answer that is not ok; empty when left out. It is not sealed. */
  errorBody?(status: EventStatus): Uint8Array
  /**
   * Writes the header of an answer to `target`, which has `replyHeaderBytes` at `at`, all zero. `request` has that of the request at
   * `requestAt`; all zero where a connection is refused before it sent one. `bodyBytes` is the length of the body as it travels.
   */
  writeReplyHeader(
    target: Buffer,
    at: number,
    status: EventStatus,
    request: Buffer,
    requestAt: number,
    bodyBytes: number,
  ): void
}

/** How bodies of answers are sealed. */
export interface BodySeal {
  /** The length of a body of `bodyBytes` once it is sealed. */
  sealedBytes(bodyBytes: number): number
  /**
   * Fills `frame`, which begins with the header of the answer, behind that header: with `sealedBytes(body.length)` bytes,
   * which are zero.
   */
  sealBody(frame: Buffer, body: Uint8Array, sessionId: number): void
}

/** How a dialect is named to another thread. */
export interface DialectReference {
  readonly moduleUrl: string
  readonly exportName: string
  /** Clonable. */
  readonly options: unknown
}

/** A dialect that shards can load; see {@link defineEventProtocol}. */
export interface EventProtocolDefinition<TOptions> {
  readonly kind: 'eventProtocol'
  /** `import.meta.url` of the module that exports it. */
  readonly moduleUrl: string
  readonly exportName: string
  /**
   * Builds the dialect, for each shard and once where the server is created; throws `BAD_CONFIG` for options it cannot use.
   * Anything else that it throws, and what is no dialect, is told as `BAD_CONFIG` of the protocol.
   */
  create(options: TOptions): EventDialect
  /** Names the protocol with its options, if it has any: what `createEventServer` takes as `protocol`. */
  with(...options: undefined extends TOptions ? [options?: TOptions] : [options: TOptions]): BoundEventProtocol
}

/** A protocol with its options. */
export interface BoundEventProtocol {
  readonly definition: EventProtocolDefinition<never>
  /** Plain data: it is copied to every shard. */
  readonly options: unknown
}

/** A dialect with no other fields: one that is misspelt is not left out in silence. */
type Exactly<D> = D & { readonly [K in Exclude<keyof D, keyof EventDialect>]: never }

/**
 * Defines a protocol of events with a header, validation and cryptography of its own. `moduleUrl` is the `import.meta.url`
 * of the calling module and `exportName` the name under which that module, which is not the program's entry, exports the
 * result: every shard loads it by both and builds the dialect with the options it was bound to.
 *
 * @example
 * export const coinProtocol = defineEventProtocol(import.meta.url, 'coinProtocol', (options: CoinOptions) => ({ … }))
 * createEventServer(system, { port: 7400, protocol: coinProtocol.with({ network: 2 }) })
 */
export function defineEventProtocol<TOptions, D extends EventDialect = EventDialect>(
  moduleUrl: string,
  exportName: string,
  create: (options: TOptions) => Exactly<D>,
): EventProtocolDefinition<TOptions> {
  const definition: EventProtocolDefinition<TOptions> = {
    kind: 'eventProtocol',
    moduleUrl,
    exportName,
    create,
    with: (...[options]) => ({ definition, options }),
  }
  return definition
}

/** What is imported for a dialect. */
export const eventProtocolKind: DefinitionKind<EventProtocolDefinition<unknown>> = {
  name: 'a definition of an event protocol',
  is: (value): value is EventProtocolDefinition<unknown> => hasKind(value, 'eventProtocol'),
}
