/** A request of the event client. */
import type { EventRequestHead } from '../../../messages/event/request-v1.ts'
import type { EventResponse } from '../../../messages/event/response-v1.ts'
import { EVENT_HEADER_BYTES } from '../../../messages/event/status.ts'
import { PendingRequest } from '../pending-request.ts'

/** What a request of the event protocol says. */
export interface EventContent {
  readonly raidaId: number
  readonly command: number
  readonly sessionId: number
  readonly body: Uint8Array
}

/** The record of one. Answered by the whole response. */
export class PendingEvent extends PendingRequest<EventResponse> implements EventRequestHead {
  readonly raidaId: number
  readonly command: number
  readonly sessionId: number
  readonly reserved = 0
  readonly body: Uint8Array

  constructor(
    content: EventContent,
    timeoutMs: number,
    isIdempotent: boolean,
    resolve: (answer: EventResponse) => void,
    reject: (error: unknown) => void,
  ) {
    super({ bytes: EVENT_HEADER_BYTES + content.body.length, timeoutMs, isIdempotent }, resolve, reject)
    this.raidaId = content.raidaId
    this.command = content.command
    this.sessionId = content.sessionId
    this.body = content.body
  }

  describe(): string {
    return `command ${this.command}`
  }
}
