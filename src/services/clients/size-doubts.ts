/**
 * Which sizes a server seems not to take. One that gets a larger request than it takes may have no answer for it, and ends the
 * connection: the request would end one connection after another.
 */
import type { PendingRequest } from './pending-request.ts'

/** So many connections in a row ended on requests of one size. */
const lossesMin = 2

/** A request that was in flight when its connection ended, and whether any of its bytes may have left. */
export interface LostRequest<R extends PendingRequest> {
  readonly request: R
  readonly wasWritten: boolean
}

/** What is known of one server. */
export class SizeDoubts {
  #answeredBytes = 0
  #lostBytes = 0
  #losses = 0

  /** A request of so many bytes was answered, whichever way. */
  answered(bytes: number): void {
    if (bytes > this.#answeredBytes) this.#answeredBytes = bytes
  }

  /**
   * The server ended a connection that it had answered on, the greeting at least. Answers the largest request that was in flight, if
   * it was not the first connection to end on one of that size, and none as large was ever answered.
   */
  blame<R extends PendingRequest>(lost: readonly LostRequest<R>[]): R | undefined {
    let largest: R | undefined
    for (const { request, wasWritten } of lost) {
      if (wasWritten && request.bytes > (largest?.bytes ?? 0)) largest = request
    }
    if (largest === undefined || largest.doubt === '' || largest.bytes <= this.#answeredBytes) return undefined
    this.#losses = largest.bytes === this.#lostBytes ? this.#losses + 1 : 1
    this.#lostBytes = largest.bytes
    return this.#losses < lossesMin ? undefined : largest
  }

  /** No connection came up: the server was away, and may have ended those before for that. */
  wasAway(): void {
    this.#losses = 0
  }
}
