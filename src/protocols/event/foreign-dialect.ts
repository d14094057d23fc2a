/**
 * Dialects that somebody else wrote: checked when they are built, and watched while they serve, so that a mistake in one is
 * told by name, and none of what this process has in its memory leaves in a part of an answer that nobody wrote.
 */

import { isStarfishError, StarfishError } from '../../messages/errors.ts'
import { eventStatus } from '../../messages/event/status.ts'
import { createFaults, type Faults, show } from '../../messages/option-faults.ts'
import { thrownText } from '../../messages/thread/exit-text.ts'
import type { EventDialect, EventProtocolDefinition } from './dialect.ts'
import { dialectV1 } from './dialect-v1.ts'

/** A dialect did what none may. The request is answered `handlerFailed`, or `invalidHeader` where its length is not known. */
export class DialectFault extends Error {
  override readonly name = 'DialectFault'
}

/** The fields of a dialect, and whether it must have them. */
const functions = {
  validateHeader: true,
  raidaId: true,
  bodyBytes: true,
  command: true,
  sessionId: true,
  hasCookie: false,
  validateDecryptBody: false,
  errorBody: false,
  writeReplyHeader: true,
} as const satisfies Partial<Record<keyof EventDialect, boolean>>

const known = [...Object.keys(functions), 'headerBytes', 'replyHeaderBytes', 'seal']

const headerBytesMax = 65_535

/** Builds a dialect. `BAD_CONFIG` names all that no dialect may be, or what its builder threw; its own StarfishErrors pass. */
export function buildDialect<TOptions>(
  { create, exportName }: Pick<EventProtocolDefinition<TOptions>, 'create' | 'exportName'>,
  options: TOptions,
): EventDialect {
  const subject = `the protocol ${exportName}`
  const dialect = attempt()
  const faults = createFaults()
  checkDialect(dialect, faults)
  faults.throwIfAny('BAD_CONFIG', subject)
  return dialect

  function attempt(): EventDialect {
    try {
      return create(options)
    } catch (cause) {
      if (isStarfishError(cause)) throw cause
      throw new StarfishError('BAD_CONFIG', `${subject} cannot be built: ${thrownText(cause)}`, { cause })
    }
  }
}

function checkDialect(dialect: Partial<EventDialect>, faults: Faults): void {
  if (dialect instanceof Promise) {
    faults.add('', 'is a promise: it is built at once')
    return
  }
  const isInstance = typeof dialect === 'object' && dialect !== null && !isPlain(dialect)
  // An instance of a class may keep what it likes.
  if (!isInstance && !faults.options('', dialect, known)) return
  faults.whole('headerBytes', dialect.headerBytes, 1, headerBytesMax)
  faults.whole('replyHeaderBytes', dialect.replyHeaderBytes, 1, headerBytesMax)
  for (const [name, isNeeded] of Object.entries(functions)) {
    checkFunction(name, dialect[name as keyof typeof functions], isNeeded, faults)
  }
  const { seal } = dialect
  if (seal !== undefined && faults.options('seal', seal, ['sealedBytes', 'sealBody'])) {
    const within = faults.within('seal')
    checkFunction('sealedBytes', seal.sealedBytes, true, within)
    checkFunction('sealBody', seal.sealBody, true, within)
  }
  if (faults.none) tryDialect(dialect as EventDialect, faults)
}

function checkFunction(name: string, value: unknown, isNeeded: boolean, faults: Faults): void {
  if (value === undefined && !isNeeded) return
  if (typeof value !== 'function') faults.add(name, `is ${show(value)}, no function`)
  else if (Object.prototype.toString.call(value) === '[object AsyncFunction]') {
    faults.add(name, 'is async: a dialect answers at once')
  }
}

/** What it can be asked without a request. */
function tryDialect(dialect: EventDialect, faults: Faults): void {
  const { headerBytes, replyHeaderBytes, seal } = dialect
  for (const [name, status] of Object.entries(eventStatus)) {
    if (status === eventStatus.ok) continue
    tryOne('errorBody', `of ${name}`, faults, () => {
      const body: unknown = dialect.errorBody?.(status) ?? new Uint8Array(0)
      return body instanceof Uint8Array ? undefined : `is ${show(body)}, no Uint8Array`
    })
  }
  tryOne('writeReplyHeader', 'behind a request of zeros', faults, () => {
    dialect.writeReplyHeader(Buffer.alloc(replyHeaderBytes), 0, eventStatus.overloaded, Buffer.alloc(headerBytes), 0, 0)
    return undefined
  })
  tryOne('seal.sealedBytes', 'of an empty body', faults, () => {
    const bytes = seal?.sealedBytes(0) ?? 0
    return isLength(bytes) ? undefined : `is ${show(bytes)}, not a number of bytes`
  })
}

function tryOne(name: string, when: string, faults: Faults, look: () => string | undefined): void {
  try {
    const reason = look()
    if (reason !== undefined) faults.add(name, `${when} ${reason}`)
  } catch (error) {
    faults.add(name, `${when} throws: ${thrownText(error)}`)
  }
}

/**
 * The dialect as a server uses it. What it leaves unwritten of a header is zero; a length that is none is told to `report`
 * and makes its header invalid; a body that is no Uint8Array throws a {@link DialectFault}.
 */
export function watchDialect(dialect: EventDialect, report: (fault: DialectFault) => void): EventDialect {
  const { headerBytes, replyHeaderBytes, seal } = dialect
  // The header of version 1 leaves nothing out.
  const isWritten =
    dialect.writeReplyHeader === dialectV1.writeReplyHeader && replyHeaderBytes === dialectV1.replyHeaderBytes

  function open(frame: Buffer, sessionId: number): Uint8Array {
    const body: unknown = dialect.validateDecryptBody!(frame, sessionId)
    if (body instanceof Uint8Array) return body
    // One that rejects must not end the shard.
    if (body instanceof Promise) body.catch(() => {})
    throw new DialectFault(`validateDecryptBody answered ${show(body)}, no Uint8Array`)
  }

  return {
    headerBytes,
    replyHeaderBytes,
    validateHeader(bytes, at) {
      if (!dialect.validateHeader(bytes, at)) return false
      const bodyBytes: unknown = dialect.bodyBytes(bytes, at)
      if (isLength(bodyBytes)) return true
      report(new DialectFault(`bodyBytes answered ${show(bodyBytes)}, not a number of bytes`))
      return false
    },
    raidaId: (bytes, at) => dialect.raidaId(bytes, at),
    bodyBytes: (bytes, at) => dialect.bodyBytes(bytes, at),
    command: (bytes, at) => dialect.command(bytes, at),
    sessionId: (bytes, at) => dialect.sessionId(bytes, at),
    ...(dialect.hasCookie === undefined ? {} : { hasCookie: (bytes, at) => dialect.hasCookie!(bytes, at) }),
    ...(dialect.validateDecryptBody === undefined ? {} : { validateDecryptBody: open }),
    ...(seal === undefined ? {} : { seal }),
    ...(dialect.errorBody === undefined ? {} : { errorBody: status => dialect.errorBody!(status) }),
    writeReplyHeader: isWritten
      ? dialect.writeReplyHeader
      : (target, at, status, request, requestAt, bodyBytes) => {
          target.fill(0, at, at + replyHeaderBytes)
          dialect.writeReplyHeader(target, at, status, request, requestAt, bodyBytes)
        },
  }
}

function isLength(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
