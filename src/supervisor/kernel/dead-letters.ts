/**
 * Messages that reached nobody: every one is counted, the last ones are listed.
 */
import type { DeadLetter } from '../../messages/thread/fact.ts'

/** Counts of dead letters by how far they came. */
export type DeadLetterCounts = Readonly<Record<DeadLetter['fate'], number>>

/** What `system.deadLetters()` answers. */
export interface DeadLetterReport {
  readonly counts: DeadLetterCounts
  /** The last ones, oldest first. */
  readonly letters: readonly DeadLetter[]
}

/** The dead letters of one thread. */
export class DeadLetters {
  readonly #keep: number
  readonly #counts: Record<DeadLetter['fate'], number> = { unprocessed: 0, inHand: 0, lost: 0, refused: 0, expired: 0 }
  readonly #letters: DeadLetter[] = []
  readonly #onLetter: (letter: DeadLetter) => void

  /** Lists the last `keep` letters; `onLetter` is called for each. */
  constructor(keep: number, onLetter: (letter: DeadLetter) => void) {
    this.#keep = keep
    this.#onLetter = onLetter
  }

  add(letter: DeadLetter): void {
    this.#counts[letter.fate]++
    this.#list(letter)
    this.#onLetter(letter)
  }

  /** Takes over what another thread has counted and listed, and told of, before it ends. */
  adopt({ counts, letters }: DeadLetterReport): void {
    for (const fate of Object.keys(counts) as DeadLetter['fate'][]) this.#counts[fate] += counts[fate]
    for (const letter of letters) this.#list(letter)
  }

  /** Adds to the counts what could not be listed. */
  count(fate: DeadLetter['fate'], messages: number): void {
    this.#counts[fate] += messages
  }

  #list(letter: DeadLetter): void {
    this.#letters.push(letter)
    // In bulk: a shift for each would move them all.
    if (this.#letters.length > this.#keep * 2) this.#letters.splice(0, this.#letters.length - this.#keep)
  }

  report(): DeadLetterReport {
    return { counts: { ...this.#counts }, letters: this.#letters.slice(Math.max(0, this.#letters.length - this.#keep)) }
  }
}

/** One report out of those of several threads; letters in order of time. */
export function mergeDeadLetters(reports: readonly DeadLetterReport[]): DeadLetterReport {
  const counts = { unprocessed: 0, inHand: 0, lost: 0, refused: 0, expired: 0 }
  for (const report of reports) {
    for (const fate of Object.keys(counts) as DeadLetter['fate'][]) counts[fate] += report.counts[fate]
  }
  return { counts, letters: reports.flatMap(report => report.letters).sort((a, b) => a.atMs - b.atMs) }
}
