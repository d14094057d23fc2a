/**
 * The fact stream of one thread. Costs one look at a boolean while nobody listens.
 */
import type { Fact, FactFilter, FactKind } from '../../messages/thread/fact.ts'
import { isUnder } from './well-known.ts'

/** A {@link Fact} before the thread adds its shard and the time. */
export type NewFact = Fact extends infer F ? (F extends Fact ? Omit<F, 'shard' | 'atMs'> : never) : never

/** Where the facts of a thread arise and who gets them. */
export class FactStream {
  readonly #shard: number
  readonly #now: () => number
  readonly #emit: (fact: Fact) => void
  #filters: readonly FactFilter[] = []
  readonly #wanted = new Set<FactKind>()
  /** Somebody wants something; a field of its own, since it is looked at for each message. */
  #isOn = false

  /** `emit` is called with each fact that some filter wants. */
  constructor(shard: number, now: () => number, emit: (fact: Fact) => void) {
    this.#shard = shard
    this.#now = now
    this.#emit = emit
  }

  /** Replaces the filters; none turns the stream off. */
  setFilters(filters: readonly FactFilter[]): void {
    this.#filters = filters
    this.#wanted.clear()
    for (const filter of filters) for (const kind of filter.kinds ?? everyKind) this.#wanted.add(kind)
    this.#isOn = this.#wanted.size > 0
  }

  /** True when somebody wants facts of that kind; ask before building one. */
  wants(kind: FactKind): boolean {
    return this.#isOn && this.#wanted.has(kind)
  }

  /** Emits a fact if a filter wants it. */
  add(fact: NewFact): void {
    if (!this.wants(fact.kind)) return
    const whole = { ...fact, shard: this.#shard, atMs: this.#now() } as Fact
    if (this.#filters.some(filter => matchesFilter(filter, whole))) this.#emit(whole)
  }
}

const everyKind: readonly FactKind[] = [
  'spawned',
  'event',
  'transition',
  'action',
  'exit',
  'restart',
  'deadLetter',
  'link',
  'shard',
  'dropped',
]

/** True when the filter lets the fact through. */
export function matchesFilter(filter: FactFilter, fact: Fact): boolean {
  if (filter.kinds !== undefined && !filter.kinds.includes(fact.kind)) return false
  return filter.under === undefined || isUnder(fact.address, filter.under)
}
