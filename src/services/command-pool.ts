/** The task pool of an event server: there if one of its commands runs in it. */
import { shutdownMarginMs } from '../actors/acceptor/config.ts'
import { type ActorSpec, child } from '../actors/runtime/child.ts'
import { referenceTo } from '../actors/runtime/import-definition.ts'
import { openTimeoutMs, type TaskPoolInput } from '../actors/task-pool/config.ts'
import { createTaskPoolFigures, readTaskPoolFigures, type TaskPoolFigures } from '../actors/task-pool/figures.ts'
import { eventTasks, type PoolTaskOptions } from '../protocols/event/pool-tasks.ts'
import type { System } from '../supervisor/system.ts'
import { type EventServerConfig, runsInPool } from './event-server-options.ts'
import { taskPool } from './task-pool.ts'

/** The pool of one server. */
export interface CommandPool {
  readonly address: string
  /** For the server's supervisor. */
  readonly child: ActorSpec
  /** Settles when all workers have loaded. */
  whenOpen(): Promise<void>
  figures(): TaskPoolFigures
}

const openAnswerMs = 60_000

/** The pool; undefined when no command runs in one. */
export function createCommandPool(
  system: System,
  { id, commands, pool, limits, events }: Pick<EventServerConfig, 'id' | 'commands' | 'pool' | 'limits' | 'events'>,
): CommandPool | undefined {
  if (commands === undefined || !runsInPool(commands)) return undefined
  const { drainTimeoutMs } = limits
  const { replyBytesMax } = events
  const figures = createTaskPoolFigures()
  const input: TaskPoolInput = {
    ...pool,
    openTimeoutMs,
    drainTimeoutMs,
    figures,
    runner: {
      ...referenceTo(eventTasks),
      options: { commands: referenceTo(commands), replyBytesMax } satisfies PoolTaskOptions,
    },
  }
  const address = `${id}/pool`
  return {
    address,
    child: child(taskPool, { id: 'pool', shard: 'main', input, shutdown: drainTimeoutMs + shutdownMarginMs }),
    whenOpen: () => system.ref(taskPool, address).ask({ type: 'pool.whenOpen' }, { timeoutMs: openAnswerMs }),
    figures: () => readTaskPoolFigures(figures),
  }
}
