/**
 * Waits for the end of a stream to move on. However many wait for a stream, one pull stands open for it at JetStream, so that a
 * message that anybody appended wakes them on its way back; while nobody waits there is none.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { StarfishError } from '../../../../messages/errors.ts'
import { storeClosed } from '../engine-errors.ts'
import type { JetstreamConnection } from './connection.ts'
import { Cursor } from './cursor.ts'
import { isStreamNotFound } from './jetstream-faults.ts'

/** A stream that can be waited for. */
export interface Followed {
  readonly stream: string
  /** The sequence of its last message. Rejects with what is to be told to who waits if there is no such thing any more. */
  lastSequence(): Promise<number>
  /** Whether it is known to be no more. */
  isGone(): boolean
  /** Makes the stream, which is not there yet. */
  ensure(): Promise<void>
}

interface Waiter {
  readonly sequence: number
  resolve(): void
  reject(error: unknown): void
}

interface Tail {
  readonly followed: Followed
  readonly waiters: Set<Waiter>
  /** The stream is known to go so far. */
  knownSequence: number
  /** What stands open, and for which sequence. */
  pull: { readonly awaited: number; readonly cursor: Cursor } | undefined
}

/** How long a pull stands open before it is asked for again, ms. */
const pullMs = 20_000
/** After a failure. */
const pauseMs = 100

/** The streams that are waited for over one connection. */
export class Tails {
  readonly #connection: JetstreamConnection
  readonly #tails = new Map<string, Tail>()
  #closed = false

  constructor(connection: JetstreamConnection) {
    this.#connection = connection
  }

  /** Resolves when there is a message above `sequence`, or `signal` aborts; rejects with what `followed` rejects with. */
  async whenAbove(followed: Followed, sequence: number, signal: AbortSignal): Promise<void> {
    if (this.#closed) throw storeClosed(this.#connection.store)
    if (signal.aborted) return
    await new Promise<void>((resolve, reject) => {
      const tail = this.#tails.get(followed.stream) ?? this.#follow(followed)
      const settle = (outcome: () => void): void => {
        tail.waiters.delete(waiter)
        signal.removeEventListener('abort', abort)
        if (tail.waiters.size === 0) tail.pull?.cursor.close()
        outcome()
      }
      const abort = (): void => settle(resolve)
      const waiter = {
        sequence,
        resolve: () => settle(resolve),
        reject: (error: unknown) => settle(() => reject(error)),
      }
      if (tail.knownSequence > sequence) return resolve()
      tail.waiters.add(waiter)
      if (tail.pull !== undefined && sequence + 1 < tail.pull.awaited) tail.pull.cursor.close()
      signal.addEventListener('abort', abort)
    })
  }

  /** Has whoever waits for a stream ask again what became of it. */
  lookAgain(stream: string): void {
    this.#tails.get(stream)?.pull?.cursor.close()
  }

  /** Refuses who waits, and who comes. */
  close(): void {
    this.#closed = true
    for (const tail of [...this.#tails.values()]) refuse(tail, storeClosed(this.#connection.store))
  }

  #follow(followed: Followed): Tail {
    const tail: Tail = { followed, waiters: new Set(), knownSequence: 0, pull: undefined }
    this.#tails.set(followed.stream, tail)
    void this.#run(tail)
    return tail
  }

  async #run(tail: Tail): Promise<void> {
    // Who brought it to life begins to wait behind this.
    await Promise.resolve()
    while (tail.waiters.size > 0) {
      try {
        await this.#pull(tail)
      } catch (error) {
        if (isFinal(error)) refuse(tail, error)
        else await Promise.all([this.#connection.whenConnected(), delay(pauseMs)])
      }
    }
    this.#tails.delete(tail.followed.stream)
  }

  /** Waits for the first message that wakes somebody. */
  async #pull(tail: Tail): Promise<void> {
    const { followed } = tail
    wake(tail, await followed.lastSequence())
    if (tail.waiters.size === 0) return
    const awaited = leastOf(tail)
    const cursor = await this.#cursor(followed, awaited)
    // Meanwhile it may have gone, all who waited too, or somebody have come for an earlier one.
    if (tail.waiters.size === 0 || leastOf(tail) < awaited || followed.isGone()) return cursor.close()
    tail.pull = { awaited, cursor }
    try {
      const [found] = await cursor.pull({ count: 1, waitMs: pullMs })
      if (found !== undefined) wake(tail, found.sequence)
    } finally {
      tail.pull = undefined
      cursor.close()
    }
  }

  async #cursor(followed: Followed, from: number): Promise<Cursor> {
    try {
      return await Cursor.open(this.#connection, followed.stream, from, true)
    } catch (error) {
      if (!isStreamNotFound(error)) throw error
      await followed.ensure()
      return Cursor.open(this.#connection, followed.stream, from, true)
    }
  }
}

/** Not to be helped by trying again: there is no such partition, its stream is gone, or the store is closed. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof StarfishError)) return false
  const reason = error.details?.reason
  return error.code === 'PARTITION_NOT_FOUND' || reason === 'closed' || reason === 'corrupt'
}

function wake(tail: Tail, sequence: number): void {
  tail.knownSequence = Math.max(tail.knownSequence, sequence)
  for (const waiter of [...tail.waiters]) if (tail.knownSequence > waiter.sequence) waiter.resolve()
}

/** The sequence of the first message that wakes somebody. */
function leastOf({ waiters }: Tail): number {
  return Math.min(...[...waiters].map(({ sequence }) => sequence + 1))
}

function refuse({ waiters }: Tail, error: unknown): void {
  for (const waiter of [...waiters]) waiter.reject(error)
}
