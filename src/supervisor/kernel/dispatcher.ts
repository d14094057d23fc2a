/**
 * Whose turn it is: actors with mail take turns on their thread, a bounded number of messages each, and the event loop
 * gets its own turn when a slice of time, or of turns where time stands still, is used up.
 */

import { Fifo } from '../fifo.ts'
import { soon } from '../soon.ts'
import type { ActorCell } from './cell.ts'
import type { TickClock } from './tick-clock.ts'

const messagesPerTurn = 64
const sliceMs = 5
const turnsPerSlice = 4_096
/** The clock is looked at after so many messages: it costs as much as a short turn. */
const messagesPerLook = 16

/** Runs the turns of one thread's actors. */
export class Dispatcher {
  readonly #time: TickClock
  readonly #turn: (cell: ActorCell, messages: number, nowMs: number) => number
  readonly #queue = new Fifo<ActorCell>()
  /** What runs once the turns of the moment are over. */
  readonly #after = new Fifo<() => void>()
  #scheduled = false
  #running = false
  #held = false

  /** `turn` handles up to so many messages of a cell and returns how many; it is told about when its turn began. */
  constructor(time: TickClock, turn: (cell: ActorCell, messages: number, nowMs: number) => number) {
    this.#time = time
    this.#turn = turn
  }

  /** Gives a cell that has mail a place in the queue; one that has a place keeps it, a paused one gets none. */
  wake(cell: ActorCell): void {
    if (cell.mailbox.queued) return
    if (cell.pauses > 0) {
      // No turn follows that would end the tick.
      this.#time.end()
      return
    }
    cell.mailbox.queued = true
    this.#queue.push(cell)
    if (this.#scheduled || this.#running || this.#held) return
    this.#scheduled = true
    soon(this.#drain)
  }

  /** What is woken from now on takes its turns after {@link release}, which has to follow before the event loop goes on. */
  hold(): void {
    this.#held = true
  }

  /**
   * Lets the turns that were held begin, as microtasks: a context of its own within a call from outside costs Node a
   * microsecond when that call ends, and nothing where the stack is empty.
   */
  release(): void {
    this.#held = false
    if (this.#running) return
    // What is scheduled waits for its moment: others had used up theirs.
    if (this.#scheduled || this.#queue.size === 0) {
      this.#runAfter()
      return
    }
    this.#scheduled = true
    soon(this.#drain)
  }

  /** Runs `work` when the turns that are being given, or held, are over; soon when there are none. It must not throw. */
  afterTurns(work: () => void): void {
    if (this.#running || this.#held) this.#after.push(work)
    else soon(work)
  }

  /** Whether nothing else waits for its turn while this cell takes its own. */
  isLast(cell: ActorCell): boolean {
    return this.#running && this.#queue.size === 0 && cell.mailbox.ready === 0
  }

  #runAfter(): void {
    for (let work = this.#after.shift(); work !== undefined; work = this.#after.shift()) work()
  }

  readonly #drain = (): void => {
    this.#scheduled = false
    this.#running = true
    let nowMs = this.#time.now()
    const until = nowMs + sliceMs
    let turns = turnsPerSlice
    let unlooked = 0
    try {
      for (let cell = this.#queue.shift(); cell !== undefined; cell = this.#queue.shift()) {
        cell.mailbox.queued = false
        try {
          unlooked += this.#turn(cell, messagesPerTurn, nowMs)
        } finally {
          if (cell.mailbox.ready > 0 && !cell.ended && cell.pauses === 0) {
            cell.mailbox.queued = true
            this.#queue.push(cell)
          }
        }
        if (this.#queue.size === 0) break
        if (--turns === 0) break
        if (unlooked < messagesPerLook) continue
        unlooked = 0
        nowMs = this.#time.look()
        if (nowMs > until) break
      }
    } finally {
      this.#running = false
      this.#time.end()
      // Also after a turn that threw, which is a fault of the kernel and must not silence the other actors.
      if (this.#queue.size > 0) {
        this.#scheduled = true
        this.#time.defer(this.#drain)
      }
      this.#runAfter()
    }
  }
}
