/** Answers as they travel: header, and a body that is sealed or tells of the error, as the dialect has it. */
import type { ReplyPath } from '../../actors/serving/protocol.ts'
import { type EventStatus, eventStatus } from '../../messages/event/status.ts'
import type { EventDialect } from './dialect.ts'

const nothing = new Uint8Array(0)

/** Up to this many bytes a loop beats the call into the engine's copy. */
const small = 64

/** Writes an answer with status ok and `body[start, end)` into the output of `path`. */
export function writeReply(
  dialect: EventDialect,
  path: ReplyPath,
  request: Buffer,
  requestAt: number,
  body: Uint8Array,
  start: number,
  end: number,
): void {
  if (dialect.seal === undefined) {
    writeClear(dialect, path, eventStatus.ok, request, requestAt, body, start, end)
    return
  }
  // Room is taken once the frame stands: sealing may throw, and what was reserved must be filled.
  const frame = encodeReply(dialect, eventStatus.ok, request, requestAt, body.subarray(start, end))
  const to = path.reserve(frame.length)
  path.target.set(frame, to)
}

/** Writes an answer with another status into the output of `path`. */
export function writeErrorReply(
  dialect: EventDialect,
  path: ReplyPath,
  status: EventStatus,
  request: Buffer,
  requestAt: number,
): void {
  const body = dialect.errorBody?.(status) ?? nothing
  writeClear(dialect, path, status, request, requestAt, body, 0, body.length)
}

/** An answer as bytes of its own. `body` counts with status ok only. */
export function encodeReply(
  dialect: EventDialect,
  status: EventStatus,
  request: Buffer,
  requestAt: number,
  body: Uint8Array,
): Buffer {
  const { replyHeaderBytes } = dialect
  const clear = status === eventStatus.ok ? body : (dialect.errorBody?.(status) ?? nothing)
  const seal = status === eventStatus.ok ? dialect.seal : undefined
  const bodyBytes = seal?.sealedBytes(clear.length) ?? clear.length
  // What a seal leaves out must not be what was in this memory before.
  const frame =
    seal === undefined ? Buffer.allocUnsafe(replyHeaderBytes + bodyBytes) : Buffer.alloc(replyHeaderBytes + bodyBytes)
  dialect.writeReplyHeader(frame, 0, status, request, requestAt, bodyBytes)
  if (seal === undefined) frame.set(clear, replyHeaderBytes)
  else seal.sealBody(frame, clear, dialect.sessionId(request, requestAt))
  return frame
}

function writeClear(
  dialect: EventDialect,
  path: ReplyPath,
  status: EventStatus,
  request: Buffer,
  requestAt: number,
  body: Uint8Array,
  start: number,
  end: number,
): void {
  const { replyHeaderBytes } = dialect
  const bodyBytes = end - start
  const to = path.reserve(replyHeaderBytes + bodyBytes)
  const { target } = path
  dialect.writeReplyHeader(target, to, status, request, requestAt, bodyBytes)
  if (bodyBytes <= small) {
    for (let from = start, into = to + replyHeaderBytes; from < end; from++, into++) target[into] = body[from]!
  } else {
    target.set(start === 0 && end === body.length ? body : body.subarray(start, end), to + replyHeaderBytes)
  }
}
