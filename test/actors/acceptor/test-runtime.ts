/** What the kernel hands an actor, as far as the data plane uses it, with a log that can be read. */
import type { ActorEvent, ActorRuntime } from '../../../src/actors/runtime/actor-runtime.ts'
import { type Clock, createRandom } from '../../../src/actors/runtime/clock.ts'

/** A line of the log. */
export interface LogLine {
  readonly level: string
  readonly fields: object | string
  readonly message: string | undefined
}

/** A runtime and what was done with it. */
export interface TestRuntime extends ActorRuntime {
  readonly lines: LogLine[]
  readonly failures: unknown[]
  /** Runs the clean-ups, last added first. */
  cleanUp(): Promise<void>
}

/** Creates a runtime; `feed` takes the events of the actor's I/O. */
export function createTestRuntime(clock: Clock, shard: number, feed: (event: ActorEvent) => void): TestRuntime {
  const cleanups: (() => void | Promise<void>)[] = []
  const lines: LogLine[] = []
  const failures: unknown[] = []
  const line = (level: string) => (fields: object | string, message?: string) => {
    lines.push({ level, fields, message })
  }
  return {
    address: `acceptor/${shard}`,
    incarnation: 1,
    shard,
    clock,
    random: createRandom(1),
    log: { trace: line('trace'), debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    feed,
    fail: error => void failures.push(error),
    exit() {},
    send() {},
    ask: () => Promise.reject(new Error('nobody is here')),
    watch: () => () => {},
    host: () => ({ wantsMoves: false, started() {}, moved() {}, ended() {} }),
    onStop: cleanup => void cleanups.push(cleanup),
    lines,
    failures,
    async cleanUp() {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    },
  }
}
