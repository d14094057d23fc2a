/**
 * The compiled engine: the chart as generated code, one per definition and thread, stepping a record per incarnation.
 */

import type { AnyStateMachine } from 'xstate'
import type { ActorEvent } from './actor-runtime.ts'
import type { Clock, TimerHandle } from './clock.ts'
import type { ChartInstance, ChartTimers, CompiledChart, PersistedChart } from './compiled-chart.ts'
import type { Engine, EngineEnd, EngineHooks } from './engine.ts'
import { takesEvent } from './takes-event.ts'

/** What the engine needs to run a compiled chart. */
export interface CompiledEngineOptions {
  readonly machine: AnyStateMachine
  readonly chart: CompiledChart
  readonly input: unknown
  readonly clock: Clock
  readonly restoreFrom?: unknown
  readonly hooks: EngineHooks
  /** Called with the scope that actions are handed as `system`. */
  readonly bind: (scope: object) => void
}

/** Creates a compiled engine; nothing runs before `start`. */
export function createCompiledEngine(options: CompiledEngineOptions): Engine {
  return new CompiledEngine(options)
}

class CompiledEngine implements Engine {
  readonly #machine: AnyStateMachine
  readonly #chart: CompiledChart
  readonly #instance: ChartInstance
  readonly #timers: ChartTimers
  readonly #restored: boolean
  readonly #hooks: EngineHooks
  end: EngineEnd | undefined

  constructor(options: CompiledEngineOptions) {
    this.#machine = options.machine
    this.#chart = options.chart
    this.#hooks = options.hooks
    this.#timers = createInstanceTimers(options.clock, slot => this.#expire(slot))
    this.#restored = options.restoreFrom !== undefined
    const scope = {}
    options.bind(scope)
    this.#instance = this.#restored
      ? options.chart.restore(options.restoreFrom as PersistedChart, this.#timers, scope)
      : options.chart.create(options.input, this.#timers, scope)
  }

  get stateKey(): unknown {
    return this.#instance.configuration
  }

  get value(): unknown {
    return this.#chart.valueOf(this.#instance)
  }

  get context(): unknown {
    return this.#instance.context
  }

  start(): void {
    if (this.#restored) return
    try {
      this.#chart.start(this.#instance)
    } catch (error) {
      this.end = { type: 'error', error }
    }
    this.#noteDone()
  }

  step(event: ActorEvent): void {
    try {
      this.#chart.step(this.#instance, event)
    } catch (error) {
      this.end = { type: 'error', error }
    }
    if (this.#instance.status !== 'active') this.#noteDone()
  }

  handles(type: string): boolean {
    return takesEvent(this.#machine, this.value, type)
  }

  stop(): void {
    this.end ??= { type: 'done', output: undefined }
    this.#chart.stop(this.#instance)
  }

  persist(): PersistedChart {
    return this.#chart.persist(this.#instance, this.#timers)
  }

  /** Generated code names no actions while it runs: there is nothing to observe. */
  observeActions(): void {}

  #noteDone(): void {
    if (this.#instance.status === 'done') this.end ??= { type: 'done', output: this.#instance.output }
  }

  #expire(slot: number): void {
    const before = this.#instance.configuration
    try {
      this.#chart.expire(this.#instance, slot)
    } catch (error) {
      this.end = { type: 'error', error }
    }
    this.#noteDone()
    if (this.end !== undefined) this.#hooks.ended()
    else if (this.#instance.configuration !== before) this.#hooks.moved()
  }
}

/** The timers of a single instance on a clock. */
function createInstanceTimers(clock: Clock, expire: (slot: number) => void): ChartTimers {
  const set = new Map<number, { readonly handle: TimerHandle; readonly dueAt: number }>()
  function clear(slot: number): void {
    const timer = set.get(slot)
    if (timer === undefined) return
    set.delete(slot)
    clock.clearTimeout(timer.handle)
  }
  return {
    set(_instance, slot, delayMs) {
      clear(slot)
      const fire = () => {
        set.delete(slot)
        expire(slot)
      }
      set.set(slot, { handle: clock.setTimeout(fire, delayMs), dueAt: clock.now() + delayMs })
    },
    clear: (_instance, slot) => clear(slot),
    remainingMs(_instance, slot) {
      const timer = set.get(slot)
      return timer === undefined ? undefined : Math.max(0, timer.dueAt - clock.now())
    },
  }
}
