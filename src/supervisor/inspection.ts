/**
 * A reader of the fact stream: bounded, and free for the system once it is closed.
 */

import { badArgument } from '../messages/argument-check.ts'
import type { Fact, FactFilter } from '../messages/thread/fact.ts'
import { matchesFilter } from './kernel/facts.ts'

/** Options of `system.inspect`. */
export interface InspectOptions extends FactFilter {
  /** Facts that wait for a slow reader; more are dropped, and counted in a `dropped` fact. 10,000 by default. */
  readonly bufferMax?: number
}

/**
 * Facts as they happen: `for await (const fact of inspection)`. Ends when it is closed, or the system stops. It has one
 * reader at a time, since each fact is read once: a second one is refused with BAD_CONFIG, and needs an inspection of its own.
 */
export class Inspection implements AsyncIterable<Fact>, Disposable {
  readonly filter: FactFilter
  /** Settles when every thread sends what is asked for. */
  readonly ready: Promise<void>
  readonly #bufferMax: number
  readonly #onClose: (inspection: Inspection) => void
  readonly #buffer: Fact[] = []
  #dropped = 0
  #closed = false
  #isRead = false
  #wake: (() => void) | undefined

  constructor(
    options: InspectOptions,
    attach: (inspection: Inspection) => Promise<void>,
    onClose: (inspection: Inspection) => void,
  ) {
    const { bufferMax = 10_000, ...filter } = options
    this.filter = filter
    this.#bufferMax = bufferMax
    this.#onClose = onClose
    this.ready = attach(this)
  }

  /** Takes a fact of any thread; those that the filter does not want are passed over. */
  offer(fact: Fact): void {
    if (this.#closed || !matchesFilter(this.filter, fact)) return
    if (this.#buffer.length >= this.#bufferMax) this.#dropped++
    else this.#buffer.push(fact)
    this.#wakeReader()
  }

  /** Ends the stream; what is buffered can still be read. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose(this)
    this.#wakeReader()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Fact> {
    if (this.#isRead) throw badArgument('inspect', 'reader', 'is the second: each needs an inspection of its own')
    this.#isRead = true
    try {
      while (true) {
        for (let fact = this.#buffer.shift(); fact !== undefined; fact = this.#buffer.shift()) {
          yield fact
          if (this.#dropped > 0) yield this.#takeDropped(fact)
        }
        if (this.#closed) return
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    } finally {
      this.#isRead = false
      this.close()
    }
  }

  #takeDropped(last: Fact): Fact {
    const count = this.#dropped
    this.#dropped = 0
    return { kind: 'dropped', address: '', atMs: last.atMs, shard: -1, count }
  }

  #wakeReader(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
