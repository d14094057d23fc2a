/** What a status other than `ok` means to the one who asked: an error, and whether the request was handled. */
import { type ErrorCode, type Handled, StarfishError } from '../../../messages/errors.ts'
import { type EventStatusName, eventStatus } from '../../../messages/event/status.ts'
import type { PendingEvent } from './pending-event.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly handled: Handled
}

const refused: Meaning = { code: 'REQUEST_REFUSED', handled: 'no' }
const noRoom: Meaning = { code: 'SERVER_OVERLOADED', handled: 'no' }
const failed: Meaning = { code: 'REQUEST_FAILED', handled: 'unknown' }

/** A status that is not here is one of a newer server: it may stand for anything. */
const meanings: Readonly<Record<EventStatusName, Meaning>> = {
  ok: failed,
  invalidPacketLength: refused,
  memoryAlloc: noRoom,
  invalidHeader: refused,
  bodyTooLarge: refused,
  unknownCommand: refused,
  overloaded: noRoom,
  timeout: { code: 'SERVER_TIMEOUT', handled: 'unknown' },
  decryptFailed: refused,
  handlerFailed: failed,
  cookieRequired: refused,
}

const names = new Map<number, EventStatusName>(
  Object.entries(eventStatus).map(([name, status]) => [status, name as EventStatusName]),
)

/** The error of an answer whose status is not `ok`. Its details carry the status, by number and name. */
export function statusError(status: number, request: PendingEvent, server: string): StarfishError {
  const statusName = names.get(status) ?? 'unknown'
  const { code, handled } = statusName === 'unknown' ? failed : meanings[statusName]
  const { command, sessionId } = request
  const text = `${server} answered ${request.describe()} with status ${status} (${statusName})`
  return new StarfishError(code, text, { details: { server, status, statusName, command, sessionId }, handled })
}
