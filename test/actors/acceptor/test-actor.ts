/** Runs one actor as the kernel would, as far as acceptors can tell: runtime, clock, mailbox and end. */
import { type AnyStateMachine, createActor } from 'xstate'
import type { ActorEvent, ActorRuntime } from '../../../src/actors/runtime/actor-runtime.ts'
import type { Clock } from '../../../src/actors/runtime/clock.ts'
import { createTestRuntime, type TestRuntime } from './test-runtime.ts'

/** A running actor. */
export interface TestActor {
  readonly runtime: TestRuntime
  /** Its chart's context. */
  readonly context: { readonly port?: number; readonly error?: unknown }
  send(event: ActorEvent): void
  /** Resolves when the chart is in that state. */
  reached(state: string): Promise<void>
  /** Ends it: runs its clean-ups. */
  stop(): Promise<void>
}

/** Starts an actor. */
export function startTestActor(
  machine: AnyStateMachine,
  provide: (runtime: ActorRuntime) => object,
  input: unknown,
  surroundings: { readonly clock: Clock; readonly shard?: number },
): TestActor {
  const { clock, shard = 0 } = surroundings
  const waits = new Set<() => void>()
  let ended = false
  const runtime = createTestRuntime(clock, shard, event => {
    if (!ended) actor.send(event)
  })
  const actor = createActor(machine.provide(provide(runtime)), {
    input,
    clock: { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout } as never,
  })
  actor.subscribe({
    next() {
      for (const wait of waits) wait()
    },
    error: error => runtime.fail(error),
  })
  actor.start()
  return {
    runtime,
    get context() {
      return actor.getSnapshot().context
    },
    send: event => actor.send(event),
    reached(state) {
      return new Promise(resolve => {
        const wait = (): void => {
          if (!actor.getSnapshot().matches(state)) return
          waits.delete(wait)
          resolve()
        }
        waits.add(wait)
        wait()
      })
    },
    async stop() {
      ended = true
      actor.stop()
      await runtime.cleanUp()
    },
  }
}
