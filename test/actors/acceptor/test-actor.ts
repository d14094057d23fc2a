/** Runs one actor as the kernel would, as far as acceptors can tell: runtime, mailbox, clock and end. */
import { type AnyStateMachine, createActor } from 'xstate'
import type { ActorEvent, ActorRuntime } from '../../../src/actors/runtime/actor-runtime.ts'
import { type Clock, createRandom } from '../../../src/actors/runtime/clock.ts'

/** A line of the log. */
export interface LogLine {
  readonly level: string
  readonly fields: object | string
  readonly message: string | undefined
}

/** A running actor. */
export interface TestActor {
  send(event: ActorEvent): void
  /** Resolves when the chart is in that state. */
  reached(state: string): Promise<void>
  /** The state it is in, and its context. */
  readonly state: string
  readonly context: Record<string, unknown>
  /** What it failed with. */
  readonly failure: unknown
  readonly log: readonly LogLine[]
  /** Runs its clean-ups, as when it ends. */
  stop(): Promise<void>
}

/** Starts an actor. */
export function startTestActor(
  machine: AnyStateMachine,
  provide: (runtime: ActorRuntime) => object,
  input: unknown,
  surroundings: { readonly clock: Clock; readonly shard?: number },
): TestActor {
  const cleanups: (() => void | Promise<void>)[] = []
  const log: LogLine[] = []
  const waits: { state: string; resolve: () => void }[] = []
  let ended = false
  let failure: unknown
  const line = (level: string) => (fields: object | string, message?: string) =>
    void log.push({ level, fields, message })
  const runtime: ActorRuntime = {
    address: 'test',
    incarnation: 1,
    shard: surroundings.shard ?? 0,
    clock: surroundings.clock,
    random: createRandom(1),
    log: { trace: line('trace'), debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    feed(event) {
      if (!ended) actor.send(event)
    },
    fail(error) {
      failure = error
    },
    send() {},
    ask: () => Promise.reject(new Error('nobody is here')),
    watch() {},
    onStop: cleanup => void cleanups.push(cleanup),
  }
  const { clock } = surroundings
  const actor = createActor(machine.provide(provide(runtime)), {
    input,
    clock: { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout } as never,
  })
  actor.subscribe({ error() {}, next: check })
  function check(): void {
    for (const wait of waits.splice(0)) {
      if (actor.getSnapshot().matches(wait.state)) wait.resolve()
      else waits.push(wait)
    }
  }
  actor.start()
  return {
    send: event => actor.send(event),
    reached(state) {
      return new Promise(resolve => {
        waits.push({ state, resolve })
        check()
      })
    },
    get state() {
      return String(actor.getSnapshot().value)
    },
    get context() {
      return actor.getSnapshot().context
    },
    get failure() {
      return failure
    },
    log,
    async stop() {
      ended = true
      actor.stop()
      for (const cleanup of cleanups.reverse()) await cleanup()
    },
  }
}
