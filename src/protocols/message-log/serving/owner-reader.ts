/** Reads a store by asking its owner: for engines whose store cannot be opened to be read beside it. */
import { Advances } from '../engine/advances.ts'
import type { LogReader, ReadResult, Topic } from '../engine/contract.ts'
import { storeClosed } from '../engine/engine-errors.ts'
import type { StoreLink } from './store-link.ts'

/** A reader whose every look is an ask. */
export class OwnerReader implements LogReader {
  readonly #link: StoreLink
  readonly #advances: Advances
  readonly #timeoutMs: number
  readonly #closing = new AbortController()
  #lists: Promise<void> = Promise.resolve()
  #nextList: Promise<readonly Topic[]> | undefined

  /** `advances` is the memory of the store, `timeoutMs` the time for each look. */
  constructor(link: StoreLink, advances: SharedArrayBuffer, timeoutMs: number) {
    this.#link = link
    this.#advances = new Advances(advances)
    this.#timeoutMs = timeoutMs
  }

  /** One ask at a time: who comes meanwhile shares the next one, which begins after all of them came. */
  listTopics(): Promise<readonly Topic[]> {
    if (this.#nextList !== undefined) return this.#nextList
    const asked = this.#lists.then(() => {
      this.#nextList = undefined
      return this.#link.ask({ type: 'store.listTopics' }, this.#timeoutMs)
    })
    this.#nextList = asked
    this.#lists = asked.then(
      () => undefined,
      () => undefined,
    )
    return asked
  }

  highWaterMark(partitionId: number): Promise<number> {
    return this.#link.ask({ type: 'store.highWaterMark', partitionId }, this.#timeoutMs)
  }

  read(partitionId: number, offset: number, maxBytes: number): Promise<ReadResult> {
    return this.#link.ask({ type: 'store.read', partitionId, offset, maxBytes }, this.#timeoutMs)
  }

  /** Looks whenever the partition may have changed. One look at a time: what comes meanwhile is looked at after it. */
  async whenPast(partitionId: number, offset: number, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, this.#closing.signal])
    let woken = Promise.withResolvers<void>()
    const wake = (): void => woken.resolve()
    const stop = this.#advances.listen(partitionId, wake)
    over.addEventListener('abort', wake)
    try {
      while (!over.aborted && (await this.highWaterMark(partitionId)) <= offset) {
        if (!over.aborted) await woken.promise
        woken = Promise.withResolvers()
      }
    } finally {
      stop()
      over.removeEventListener('abort', wake)
    }
    if (this.#closing.signal.aborted) throw storeClosed('the owner of the store')
  }

  close(): void {
    this.#closing.abort()
  }
}
