/**
 * Deadlines by the thousand: one timer for all that wait equally long, instead of one each.
 *
 *     5,000 ms  timer ── due first ⇄ … ⇄ due last         those of one length fall due in the order they were set
 *       500 ms  timer ── …
 *
 * A timer stays set when its last deadline was taken back, for the next one; it keeps no process alive meanwhile. Clocks
 * whose timers cannot be told so have it cleared. On threads that their owner keeps alive, and ends, it is just left.
 */
import type { Clock, TimerHandle } from './clock.ts'

/** Something that falls due unless it is taken back. Doubly linked: taking back is O(1). */
export class Deadline {
  dueMs = 0
  list: DeadlineList | undefined
  previous: Deadline = this
  next: Deadline = this
}

interface DeadlineList {
  readonly timeoutMs: number
  readonly ends: Deadline
  timer: TimerHandle
}

/** Deadlines that fall due on one thread. */
export class Deadlines<D extends Deadline> {
  readonly #clock: Clock
  readonly #keepsAlive: boolean
  readonly #expire: (deadline: D) => void
  readonly #lists = new Map<number, DeadlineList>()

  /**
   * `expire` is called once for each deadline that is not taken back in time, never early. With `keepsAlive` a process
   * does not end before that.
   */
  constructor(clock: Clock, keepsAlive: boolean, expire: (deadline: D) => void) {
    this.#clock = clock
    this.#keepsAlive = keepsAlive
    this.#expire = expire
  }

  /** Sets a deadline `timeoutMs` after `nowMs`, which is now. */
  set(deadline: D, timeoutMs: number, nowMs: number): void {
    const list = this.#lists.get(timeoutMs) ?? this.#open(timeoutMs)
    const { ends } = list
    if (this.#keepsAlive && ends.next === ends) keepAlive(list.timer, true)
    deadline.dueMs = nowMs + timeoutMs
    deadline.list = list
    deadline.previous = ends.previous
    deadline.next = ends
    ends.previous.next = deadline
    ends.previous = deadline
  }

  /** Takes a deadline back; one that is past, or was never set, is ignored. */
  clear(deadline: D): void {
    const { list } = deadline
    if (list === undefined) return
    unlink(deadline)
    if (!this.#keepsAlive || list.ends.next !== list.ends || keepAlive(list.timer, false)) return
    this.#clock.clearTimeout(list.timer)
    this.#lists.delete(list.timeoutMs)
  }

  /** Takes all deadlines back, and leaves no timer. */
  close(): void {
    for (const { ends, timer } of this.#lists.values()) {
      this.#clock.clearTimeout(timer)
      while (ends.next !== ends) unlink(ends.next)
    }
    this.#lists.clear()
  }

  #open(timeoutMs: number): DeadlineList {
    const list: DeadlineList = { timeoutMs, ends: new Deadline(), timer: undefined }
    list.timer = this.#clock.setTimeout(() => this.#fall(list), timeoutMs)
    this.#lists.set(timeoutMs, list)
    return list
  }

  #fall(list: DeadlineList): void {
    const { ends } = list
    const nowMs = this.#clock.now()
    // One that is set meanwhile opens a list of its own.
    this.#lists.delete(list.timeoutMs)
    const due: D[] = []
    while (ends.next !== ends && ends.next.dueMs <= nowMs) {
      due.push(ends.next as D)
      unlink(ends.next)
    }
    if (ends.next !== ends) {
      list.timer = this.#clock.setTimeout(() => this.#fall(list), ends.next.dueMs - nowMs)
      this.#lists.set(list.timeoutMs, list)
    }
    for (const deadline of due) this.#expire(deadline)
  }
}

function unlink(deadline: Deadline): void {
  deadline.previous.next = deadline.next
  deadline.next.previous = deadline.previous
  deadline.list = undefined
}

/** Says whether a timer is to keep the process alive; false when it cannot be told. */
function keepAlive(timer: TimerHandle, on: boolean): boolean {
  if (!(timer instanceof Object && 'unref' in timer && 'ref' in timer)) return false
  const nodeTimer = timer as NodeJS.Timeout
  if (on) nodeTimer.ref()
  else nodeTimer.unref()
  return true
}
