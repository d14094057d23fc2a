/**
 * Deadlines by the thousand: one timer for all that wait equally long, instead of one each.
 *
 *     5,000 ms  timer ── due first ⇄ … ⇄ due last         those of one length fall due in the order they were set
 *       500 ms  timer ── …
 *
 * A timer stays set when its last deadline was taken back, for the next one; it keeps no process alive meanwhile. Clocks
 * whose timers cannot be told so have it cleared. On threads that their owner keeps alive, and ends, it is just left. Of
 * those that stand by so there are at most {@link idleMax}, the last ones used: lengths may all be different.
 */
import type { Clock, TimerHandle } from './clock.ts'

/** Timers without a deadline that are kept for the next one of their length. */
export const idleMax = 64

/** Something that falls due unless it is taken back. Doubly linked: taking back is O(1). */
export class Deadline {
  dueMs = 0
  list: DeadlineList | undefined
  previous: Deadline = this
  next: Deadline = this
}

/** The deadlines of one length; one without any is itself linked among the idle ones. */
class DeadlineList {
  readonly timeoutMs: number
  readonly ends = new Deadline()
  timer: TimerHandle
  previous: DeadlineList = this
  next: DeadlineList = this

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }

  get isEmpty(): boolean {
    return this.ends.next === this.ends
  }
}

/** Deadlines that fall due on one thread. */
export class Deadlines<D extends Deadline> {
  readonly #clock: Clock
  readonly #keepsAlive: boolean
  readonly #expire: (deadline: D) => void
  readonly #lists = new Map<number, DeadlineList>()
  /** The ring of idle lists, least recently used first. */
  readonly #idle = new DeadlineList(0)
  #idleCount = 0

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
    if (list.isEmpty) this.#use(list)
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
    if (!list.isEmpty) return
    if (this.#keepsAlive && !keepAlive(list.timer, false)) {
      this.#drop(list)
      return
    }
    link(list, this.#idle)
    if (++this.#idleCount <= idleMax) return
    const { next } = this.#idle
    this.#leaveIdle(next)
    this.#drop(next)
  }

  /** Takes all deadlines back, and leaves no timer. */
  close(): void {
    for (const { ends, timer } of this.#lists.values()) {
      this.#clock.clearTimeout(timer)
      while (ends.next !== ends) unlink(ends.next)
    }
    this.#lists.clear()
    while (this.#idleCount > 0) this.#leaveIdle(this.#idle.next)
  }

  #use(list: DeadlineList): void {
    this.#leaveIdle(list)
    if (this.#keepsAlive) keepAlive(list.timer, true)
  }

  /** Takes a list out of the idle ones, if it is among them. */
  #leaveIdle(list: DeadlineList): void {
    if (list.next === list) return
    this.#idleCount--
    list.previous.next = list.next
    list.next.previous = list.previous
    list.previous = list
    list.next = list
  }

  #drop(list: DeadlineList): void {
    this.#clock.clearTimeout(list.timer)
    this.#lists.delete(list.timeoutMs)
  }

  #open(timeoutMs: number): DeadlineList {
    const list = new DeadlineList(timeoutMs)
    list.timer = this.#clock.setTimeout(() => this.#fall(list), timeoutMs)
    this.#lists.set(timeoutMs, list)
    return list
  }

  #fall(list: DeadlineList): void {
    const { ends } = list
    const nowMs = this.#clock.now()
    // One that is set meanwhile opens a list of its own.
    this.#lists.delete(list.timeoutMs)
    this.#leaveIdle(list)
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

/** Puts a list last into a ring. */
function link(list: DeadlineList, ring: DeadlineList): void {
  list.previous = ring.previous
  list.next = ring
  ring.previous.next = list
  ring.previous = list
}

/**
 * Leaves no link behind: one that is over, and has grown old, would keep the one that was set after it from being collected as
 * young, that one the next, and so on.
 */
function unlink(deadline: Deadline): void {
  deadline.previous.next = deadline.next
  deadline.next.previous = deadline.previous
  deadline.previous = deadline
  deadline.next = deadline
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
