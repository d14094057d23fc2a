/** One call of `send`: owns its promise, and gathers what became of its messages. */
import { type Handled, StarfishError } from '../../../../messages/errors.ts'

/** Where a message is stored. */
export interface SentMessage {
  /** Id of its partition. */
  readonly partition: number
  readonly offset: number
}

/** A send that is not settled. */
export class Delivery {
  readonly #count: number
  readonly #partitions: readonly (number | undefined)[] | undefined
  /** Made when the first is stored: an array that lives from the send on would be kept for old by the collector. */
  #sent: (SentMessage | null)[] | undefined = undefined
  readonly #resolve: (sent: readonly SentMessage[]) => void
  readonly #reject: (error: unknown) => void
  /** Messages of which it is not known what became. */
  #open: number
  #stored = 0
  #handled: Handled = 'no'
  #error: StarfishError | undefined
  #whenOver: (() => void) | undefined
  #isOver = false

  /** Of so many messages; `partitions` has the one that each names, unless none does. */
  constructor(
    count: number,
    partitions: readonly (number | undefined)[] | undefined,
    resolve: (sent: readonly SentMessage[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#count = count
    this.#partitions = partitions
    this.#open = count
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Calls once it is settled. */
  set whenOver(fn: () => void) {
    this.#whenOver = fn
  }

  /** The partition that a message names, if it does. */
  partitionOf(at: number): number | undefined {
    return this.#partitions?.[at]
  }

  /** Messages `[at, at + count)` are stored, one behind the other. */
  stored(at: number, count: number, partition: number, baseOffset: number): void {
    if (count === this.#count) this.#sent = placesFrom(count, partition, baseOffset)
    else {
      const sent = this.#whereSent()
      for (let done = 0; done < count; done++) sent[at + done] = { partition, offset: baseOffset + done }
    }
    this.#stored += count
    this.#close(count)
  }

  /** That many messages are given up. */
  failed(count: number, error: StarfishError): void {
    this.#error ??= error
    if (error.handled !== 'no') this.#handled = 'unknown'
    this.#close(count)
  }

  /** Settles at once, whatever becomes of the messages: with those that are known to be stored. */
  abandon(error: StarfishError): void {
    this.#end()
    this.#reject(this.#told(error, this.#stored > 0 ? 'unknown' : (error.handled ?? 'unknown')))
  }

  #whereSent(): (SentMessage | null)[] {
    this.#sent ??= new Array<SentMessage | null>(this.#count).fill(null)
    return this.#sent
  }

  #close(count: number): void {
    this.#open -= count
    if (this.#open > 0 || this.#isOver) return
    this.#end()
    if (this.#error === undefined) this.#resolve(this.#whereSent() as readonly SentMessage[])
    else this.#reject(this.#failure(this.#error))
  }

  #end(): void {
    this.#isOver = true
    this.#whenOver?.()
  }

  /** With what is true of all messages, and not of the first that failed alone. */
  #failure(error: StarfishError): StarfishError {
    return this.#told(error, this.#stored > 0 ? 'unknown' : this.#handled)
  }

  #told(error: StarfishError, handled: Handled): StarfishError {
    const stored = this.#stored
    const part = stored === 0 ? '' : `; ${stored} of ${this.#count} messages were stored`
    // What is stored after an abort is not told any more.
    const details = sendDetails(error, [...this.#whereSent()], stored)
    return new StarfishError(error.code, error.message + part, { details, handled, cause: error.cause })
  }
}

/** The details of every send that failed. */
function sendDetails({ details }: StarfishError, sent: readonly (SentMessage | null)[], stored: number) {
  return { ...details, messages: sent.length, stored, sent }
}

/** The error of a send of `messages` of which nothing was taken. */
export function notTaken(error: StarfishError, messages: number): StarfishError {
  const { code, message, cause } = error
  const details = sendDetails(error, new Array<null>(messages).fill(null), 0)
  return new StarfishError(code, message, { details, handled: 'no', cause })
}

/** The places of messages that are one behind the other. */
function placesFrom(count: number, partition: number, baseOffset: number): SentMessage[] {
  const places: SentMessage[] = [{ partition, offset: baseOffset }]
  for (let at = 1; at < count; at++) places.push({ partition, offset: baseOffset + at })
  return places
}
