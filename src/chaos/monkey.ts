/**
 * Who does drawn faults to a system, one after the other, and keeps account of them.
 *
 *   next fault ─ its time ─> inflict ─ done or refused ─> account ─> next fault …   until stopped, or none is left
 *                               └─ lasts: released after forMs, or at the end
 */
import { type Clock, systemClock } from '../actors/runtime/clock.ts'
import { type ErrorCode, StarfishError } from '../messages/errors.ts'
import { checkNames } from './check-fault.ts'
import type { Fault } from './fault.ts'
import type { Inflicted, LastingFault } from './inflicted.ts'
import {
  type DrawOptions,
  drawFaults,
  drawOptionNames,
  resolveDrawOptions,
  type Schedule,
  type ScheduledFault,
} from './schedule.ts'

/** Options of `chaos.play`. */
export interface PlayOptions {
  /** Time; that of the system by default. */
  readonly clock?: Clock
}

/** Options of `chaos.monkey`. */
export interface MonkeyOptions extends DrawOptions, PlayOptions {
  /** An unsigned 32-bit number, of which all faults are drawn. One is chosen, and printed, if it is left out. */
  readonly seed?: number
  /** Takes the line that says how to repeat the run. Writes it to stderr by default. */
  readonly print?: (line: string) => void
}

/** A fault that was done, or tried. */
export interface MonkeyDeed extends ScheduledFault {
  /** `done`, or why not: the code of the error, or the text of a foreign one. */
  readonly outcome: 'done' | ErrorCode | (string & {})
}

/** What a monkey did. */
export interface MonkeyReport {
  readonly seed: number
  /** Its deeds in order. */
  readonly done: readonly MonkeyDeed[]
}

/** A run of faults; `await using` stops it at the end of the block. */
export interface Monkey extends AsyncDisposable {
  readonly seed: number
  /** Settles when no fault is left, or it was stopped, and what lasted is lifted. */
  readonly finished: Promise<MonkeyReport>
  /** Does nothing more, lifts what lasts, and reports. */
  stop(): Promise<MonkeyReport>
}

type DoFault = (fault: Fault) => Promise<Inflicted>

/** Plays a schedule to its end. Throws BAD_CONFIG. */
export function playSchedule(doFault: DoFault, { seed, faults }: Schedule, options: PlayOptions): Monkey {
  checkNames('play', options, ['clock'])
  return new Run(doFault, seed, faults.values(), options.clock ?? systemClock)
}

/** Draws and does faults until it is stopped. Throws BAD_CONFIG. */
export function startMonkey(doFault: DoFault, options: MonkeyOptions & { readonly seed: number }): Monkey {
  checkNames('monkey', options, [...drawOptionNames, 'seed', 'print', 'clock'])
  const { seed, print = printToStderr } = options
  const filled = resolveDrawOptions(options)
  const drawn = drawFaults(seed, filled)
  const { everyMs, faults, victims } = filled
  const targets = victims.map(({ target, shard }) => target ?? { shard })
  print(`chaos: seed ${seed}; to repeat: chaos.monkey(${JSON.stringify({ seed, everyMs, faults, targets })})`)
  return new Run(doFault, seed, drawn, options.clock ?? systemClock)
}

class Run implements Monkey {
  readonly seed: number
  readonly finished: Promise<MonkeyReport>
  readonly #doFault: DoFault
  readonly #clock: Clock
  readonly #done: MonkeyDeed[] = []
  readonly #lasting = new Map<LastingFault, () => void>()
  readonly #stop = Promise.withResolvers<void>()
  #stopped = false
  #calm = Promise.withResolvers<void>()

  constructor(doFault: DoFault, seed: number, faults: Iterator<ScheduledFault, unknown>, clock: Clock) {
    this.seed = seed
    this.#doFault = doFault
    this.#clock = clock
    this.finished = this.#run(faults)
  }

  stop(): Promise<MonkeyReport> {
    this.#stopped = true
    this.#stop.resolve()
    return this.finished
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(faults: Iterator<ScheduledFault, unknown>): Promise<MonkeyReport> {
    const startMs = this.#clock.now()
    while (!this.#stopped) {
      const next = faults.next()
      if (next.done === true) break
      await this.#sleepUntil(startMs + next.value.atMs)
      if (!this.#stopped) this.#done.push({ ...next.value, outcome: await this.#tryFault(next.value) })
    }
    if (this.#lasting.size > 0) await Promise.race([this.#calm.promise, this.#stop.promise])
    await Promise.all([...this.#lasting.keys()].map(lasting => this.#lift(lasting)))
    return { seed: this.seed, done: this.#done }
  }

  async #tryFault({ fault, forMs }: ScheduledFault): Promise<MonkeyDeed['outcome']> {
    try {
      const inflicted = await this.#doFault(fault)
      if (inflicted.type === 'lasting') this.#liftLater(inflicted.lasting, forMs)
      return 'done'
    } catch (error) {
      return error instanceof StarfishError ? error.code : String(error)
    }
  }

  /** A fault that was given no time lasts until the end. */
  #liftLater(lasting: LastingFault, forMs: number | undefined): void {
    if (this.#lasting.size === 0) this.#calm = Promise.withResolvers()
    const timer = forMs === undefined ? undefined : this.#clock.setTimeout(() => void this.#lift(lasting), forMs)
    this.#lasting.set(lasting, () => this.#clock.clearTimeout(timer))
  }

  /** A fault whose thread is gone, or out of reach, needs no lifting any more. */
  async #lift(lasting: LastingFault): Promise<void> {
    this.#lasting.get(lasting)?.()
    await lasting.release().catch(() => {})
    this.#lasting.delete(lasting)
    if (this.#lasting.size === 0) this.#calm.resolve()
  }

  async #sleepUntil(untilMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#clock.setTimeout(resolve, Math.max(0, untilMs - this.#clock.now()))
    await Promise.race([promise, this.#stop.promise])
    this.#clock.clearTimeout(timer)
  }
}

function printToStderr(line: string): void {
  process.stderr.write(`${line}\n`)
}
