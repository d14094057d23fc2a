/**
 * The mailboxes of the scripted kernel: of supervisors, emptied one event a microtask, and of children's addresses.
 */
import type { SupervisorEvent } from '../../src/supervisor/child-host.ts'

/** More events than this at a stretch are a loop without end. */
const stepsMax = 50_000

/** Who takes events. */
export interface Addressee {
  take(event: SupervisorEvent): void
}

/** Hands events over in the order in which they were posted, over all addressees, one a microtask. */
export class Mail {
  /** Events handed over so far. */
  steps = 0
  /** What went wrong, if something did. */
  failure: unknown
  readonly #posted: { readonly to: Addressee; readonly event: SupervisorEvent }[] = []
  #stepsAtRest = 0
  #isMoving = false

  post(to: Addressee, event: SupervisorEvent): void {
    this.#posted.push({ to, event })
    if (this.#isMoving) return
    this.#isMoving = true
    queueMicrotask(() => this.#move())
  }

  /** Resolves when nothing is left to hand over; rejects if something went wrong on the way. */
  async rest(): Promise<void> {
    do await new Promise(resolve => setImmediate(resolve))
    while (this.#isMoving)
    this.#stepsAtRest = this.steps
    if (this.failure !== undefined) throw this.failure
  }

  #move(): void {
    const next = this.#posted.shift()
    if (++this.steps - this.#stepsAtRest > stepsMax) {
      this.failure ??= new Error(`no rest after ${stepsMax} steps`)
      this.#posted.length = 0
    } else if (next !== undefined) next.to.take(next.event)
    this.#isMoving = this.#posted.length > 0
    if (this.#isMoving) queueMicrotask(() => this.#move())
  }
}

interface Box {
  /** Received by the incarnation that runs, or held for the next one. */
  messages: string[]
  readonly dead: string[]
  isHeld: boolean
}

/** What lies at the addresses of children. */
export class MessageBoxes {
  readonly #boxes = new Map<string, Box>()

  of(id: string): Box {
    let box = this.#boxes.get(id)
    if (box === undefined) {
      box = { messages: [], dead: [], isHeld: false }
      this.#boxes.set(id, box)
    }
    return box
  }

  /** A message arrives at the address of a child that runs, or of one that may be held for. */
  arrive(id: string, message: string, isRunning: boolean, heldMax: number): void {
    const box = this.of(id)
    const isTaken = isRunning || (box.isHeld && box.messages.length < heldMax)
    if (isTaken) box.messages.push(message)
    else box.dead.push(message)
  }

  /** The child has ended: until its supervisor has decided, messages are held. */
  end(id: string): void {
    const box = this.of(id)
    box.messages = []
    box.isHeld = true
  }

  release(id: string, outcome: 'restarted' | 'ended'): void {
    const box = this.of(id)
    box.isHeld = false
    if (outcome === 'ended') box.dead.push(...box.messages.splice(0))
  }
}
