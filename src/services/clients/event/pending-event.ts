/** A request of the event client. */
import type { EventRequestHead } from '../../../messages/event/request-v1.ts'
import type { EventResponse } from '../../../messages/event/response-v1.ts'
import { EVENT_HEADER_BYTES } from '../../../messages/event/status.ts'
import { type PendingOptions, PendingRequest } from '../pending-request.ts'

/** What a request of the event protocol says. */
export interface EventContent {
  readonly raidaId: number
  readonly command: number
  readonly sessionId: number
  readonly body: Uint8Array
  /** The client's own choice, so it may make another. Default false. */
  readonly hasDrawnSession?: boolean
}

/** The answer to one, whose status is 0. */
export interface EventAnswer extends EventResponse {
  readonly body: Buffer
}

/** The record of one. Answered by the whole response. */
export class PendingEvent extends PendingRequest<EventAnswer> implements EventRequestHead {
  readonly raidaId: number
  readonly command: number
  sessionId: number
  readonly hasDrawnSession: boolean
  readonly reserved = 0
  readonly body: Uint8Array

  constructor(
    content: EventContent,
    options: PendingOptions,
    resolve: (answer: EventAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    super(EVENT_HEADER_BYTES + content.body.length, options, resolve, reject)
    this.raidaId = content.raidaId
    this.command = content.command
    this.sessionId = content.sessionId
    this.body = content.body
    this.hasDrawnSession = content.hasDrawnSession ?? false
  }

  describe(): string {
    return `command ${this.command}`
  }
}
