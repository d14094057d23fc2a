/**
 * The live engine: the chart as an XState actor.
 *
 * XState 5 leaves three things to its host, done here: children of a chart that failed go on running and must be
 * stopped; `after` timers are lost on restore and must be armed again with the time that remained; an error nobody
 * subscribed to would end the thread.
 */
import { type AnyActor, type AnyMachineSnapshot, type AnyStateMachine, createActor, type Snapshot } from 'xstate'
import type { ActorEvent } from './actor-runtime.ts'
import type { Clock, TimerHandle } from './clock.ts'
import type { Engine, EngineEnd, EngineHooks } from './engine.ts'
import { takesEvent } from './takes-event.ts'

/** What the engine needs to run a chart. */
export interface LiveEngineOptions {
  readonly machine: AnyStateMachine
  readonly input: unknown
  readonly clock: Clock
  /** What an earlier incarnation's `persist` gave. */
  readonly restoreFrom?: unknown
  readonly hooks: EngineHooks
  /** Called with the XState system before anything runs, so that actions find their actor. */
  readonly bind: (system: object) => void
}

interface PersistedTimer {
  readonly id: string
  readonly event: ActorEvent
  readonly remainingMs: number
}

interface PersistedLive {
  readonly snapshot: Snapshot<unknown>
  readonly timers: readonly PersistedTimer[]
}

interface ScheduledEvent {
  readonly id: string
  readonly event: ActorEvent
  readonly delay: number
}

/** The part of XState's actor system that is not in its types. */
interface SystemInternals {
  readonly scheduler: {
    schedule(source: AnyActor, target: AnyActor, event: ActorEvent, delay: number, id: string): void
    cancelAll(source: AnyActor): void
  }
  getSnapshot(): { readonly _scheduledEvents: Record<string, ScheduledEvent> }
  inspect(observer: (event: { readonly type: string; readonly action?: { type: string } }) => void): {
    unsubscribe(): void
  }
}

/** Creates a live engine; nothing runs before `start`. */
export function createLiveEngine(options: LiveEngineOptions): Engine {
  return new LiveEngine(options)
}

class LiveEngine implements Engine {
  readonly #hooks: EngineHooks
  readonly #clock: Clock
  readonly #machine: AnyStateMachine
  readonly #actor: AnyActor
  readonly #restoredTimers: readonly PersistedTimer[]
  /** When each scheduled event is due, by XState's key; read only when a snapshot is taken. */
  readonly #dueAt = new Map<string, number>()
  #stepping = false
  #observer: { unsubscribe(): void } | undefined
  end: EngineEnd | undefined

  constructor(options: LiveEngineOptions) {
    this.#machine = options.machine
    this.#hooks = options.hooks
    this.#clock = options.clock
    const persisted = options.restoreFrom as PersistedLive | undefined
    this.#restoredTimers = persisted?.timers ?? []
    this.#actor = createActor(options.machine, {
      input: options.input,
      clock: this.#timedClock(),
      logger: () => {},
      ...(persisted === undefined ? {} : { snapshot: persisted.snapshot }),
    } as Parameters<typeof createActor>[1]) as AnyActor
    options.bind(this.#actor.system)
    this.#actor.subscribe({
      next: () => {
        if (!this.#stepping) this.#hooks.moved()
      },
      error: error => this.#finish({ type: 'error', error }),
      complete: () => this.#finish({ type: 'done', output: this.#snapshot.output }),
    })
  }

  get #system(): SystemInternals {
    return this.#actor.system as unknown as SystemInternals
  }

  get #snapshot(): AnyMachineSnapshot {
    return this.#actor.getSnapshot() as AnyMachineSnapshot
  }

  get stateKey(): unknown {
    const value: unknown = this.#snapshot.value
    return typeof value === 'string' ? value : JSON.stringify(value)
  }

  get value(): unknown {
    return this.#snapshot.value
  }

  get context(): unknown {
    return this.#snapshot.context
  }

  start(): void {
    this.#within(() => {
      this.#actor.start()
      for (const { id, event, remainingMs } of this.#restoredTimers) {
        this.#system.scheduler.schedule(this.#actor, this.#actor, event, remainingMs, id)
      }
    })
  }

  step(event: ActorEvent): void {
    this.#within(() => this.#actor.send(event))
  }

  handles(type: string): boolean {
    return takesEvent(this.#machine, this.value, type)
  }

  stop(): void {
    if (this.end === undefined) this.end = { type: 'done', output: undefined }
    this.#observer?.unsubscribe()
    this.#actor.stop()
    stopChildren(this.#snapshot)
    this.#system.scheduler.cancelAll(this.#actor)
  }

  persist(): PersistedLive {
    const scheduled = this.#system.getSnapshot()._scheduledEvents
    const nowMs = this.#clock.now()
    const timers = Object.entries(scheduled).map(([key, { id, event, delay }]) => ({
      id,
      event,
      remainingMs: Math.max(0, (this.#dueAt.get(key) ?? nowMs + delay) - nowMs),
    }))
    return { snapshot: this.#actor.getPersistedSnapshot(), timers }
  }

  observeActions(on: boolean): void {
    if (!on) this.#observer?.unsubscribe()
    this.#observer = on
      ? this.#system.inspect(event => {
          if (event.type === '@xstate.action' && event.action !== undefined) this.#hooks.action(event.action.type)
        })
      : undefined
  }

  #within(work: () => void): void {
    this.#stepping = true
    try {
      work()
    } catch (error) {
      this.#finish({ type: 'error', error })
    } finally {
      this.#stepping = false
    }
  }

  #finish(end: EngineEnd): void {
    if (this.end !== undefined) return
    this.end = end
    stopChildren(this.#snapshot)
    this.#system.scheduler.cancelAll(this.#actor)
    if (!this.#stepping) this.#hooks.ended()
  }

  /** XState's clock, noting when each timer is due. XState enters a timer into its table just before it sets it. */
  #timedClock() {
    return {
      setTimeout: (fn: () => void, delayMs: number): PendingTimer => {
        const key = Object.keys(this.#system.getSnapshot()._scheduledEvents).at(-1) as string
        this.#dueAt.set(key, this.#clock.now() + delayMs)
        const fire = () => {
          this.#dueAt.delete(key)
          fn()
        }
        return { key, handle: this.#clock.setTimeout(fire, delayMs) }
      },
      clearTimeout: (timer: PendingTimer): void => {
        this.#dueAt.delete(timer.key)
        this.#clock.clearTimeout(timer.handle)
      },
    }
  }
}

interface PendingTimer {
  readonly key: string
  readonly handle: TimerHandle
}

/** Stops what a chart invoked or spawned. Their own `stop` refuses for all but roots, hence the internal one. */
function stopChildren(snapshot: AnyMachineSnapshot): void {
  for (const child of Object.values(snapshot.children)) (child as unknown as { _stop(): void } | undefined)?._stop()
}
