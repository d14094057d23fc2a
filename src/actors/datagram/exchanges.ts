/**
 * How many answers one exchange gets whose sender has proven nothing. Two servers answer each other without end once
 * somebody writes to one of them in the other's name, for an answer looks like a request; whatever they make of it, command
 * and session stay the same. Requests of a client differ in those, or are repeats of one, which are few.
 *
 * ```
 * slot = hash(address, port, exchange)      key u32 | count u16 | seen at u32 s
 * ```
 * A count falls by one a second. Two exchanges that meet in a slot take turns to lower what the other has, so that the one
 * which goes on has it; an exchange that is forgotten begins anew.
 */
import type { Clock } from '../runtime/clock.ts'
import { hashAddress } from '../serving/address-hash.ts'

/** Answers that an exchange gets in a row before its sender has to prove its address. */
export const unprovenAnswersMax = 256

const slots = 8_192

/** What an exchange may get now: any answer; over the bound, in turn, a challenge or nothing. What is not answered ends a loop. */
export type Allowance = 'answer' | 'challenge' | 'silence'

/** The exchanges of one shard. */
export class Exchanges {
  readonly #clock: Pick<Clock, 'now'>
  readonly #seed: number
  readonly #keys = new Uint32Array(slots)
  readonly #counts = new Uint16Array(slots)
  readonly #seenAtS = new Uint32Array(slots)

  /** `seed` is any integer that outsiders do not know. */
  constructor(clock: Pick<Clock, 'now'>, seed: number) {
    this.#clock = clock
    this.#seed = seed
  }

  /** Counts a datagram of `exchange`, a number that a request and its answer have in common. */
  count(address: string, port: number, exchange: number): Allowance {
    const key = hashAddress(address, this.#seed ^ Math.imul(port, 0x9e3779b1) ^ exchange)
    const slot = key % slots
    const nowS = Math.floor(this.#clock.now() / 1_000)
    const passedS = Math.max(0, nowS - this.#seenAtS[slot]!)
    const left = Math.max(0, this.#counts[slot]! - passedS)
    this.#seenAtS[slot] = nowS
    if (left > 0 && this.#keys[slot] !== key) {
      this.#counts[slot] = left - 1
      return 'answer'
    }
    this.#keys[slot] = key
    // Over the bound it is above it by one and by two in turn.
    const count = left > unprovenAnswersMax + 1 ? unprovenAnswersMax + 1 : left + 1
    this.#counts[slot] = count
    if (count <= unprovenAnswersMax) return 'answer'
    return count === unprovenAnswersMax + 1 ? 'challenge' : 'silence'
  }
}
