/** The task pool of an event server: there if one of its commands runs in it. */
import { availableParallelism } from 'node:os'
import { type ActorSpec, child } from '../actors/runtime/child.ts'
import { referenceTo } from '../actors/runtime/import-definition.ts'
import { resolveTaskPoolInput, type TaskPoolOptions } from '../actors/task-pool/config.ts'
import { createTaskPoolFigures, readTaskPoolFigures, type TaskPoolFigures } from '../actors/task-pool/figures.ts'
import type { ServerLimits } from '../messages/limits.ts'
import type { CommandsDefinition } from '../protocols/event/commands.ts'
import type { FilledEventOptions } from '../protocols/event/event-options.ts'
import { eventTasks, type PoolTaskOptions } from '../protocols/event/pool-tasks.ts'
import type { System } from '../supervisor/system.ts'
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

/** What a pool is made of. */
export interface CommandPoolSurroundings {
  /** Of the server. */
  readonly id: string
  readonly commands: CommandsDefinition | undefined
  readonly options: TaskPoolOptions | undefined
  readonly limits: ServerLimits
  readonly filled: FilledEventOptions
}

const openAnswerMs = 60_000

/** The pool; undefined when no command runs in one. Throws BAD_CONFIG for options that cannot be used. */
export function createCommandPool(
  system: System,
  { id, commands, options = {}, limits, filled }: CommandPoolSurroundings,
): CommandPool | undefined {
  if (commands === undefined || !Object.values(commands.table).some(({ run }) => run === 'pool')) return undefined
  const { drainTimeoutMs } = limits
  const { replyBytesMax } = filled
  const figures = createTaskPoolFigures()
  const input = resolveTaskPoolInput(options, {
    platform: process.platform,
    processors: availableParallelism(),
    drainTimeoutMs,
    figures,
    runner: {
      ...referenceTo(eventTasks),
      options: { commands: referenceTo(commands), replyBytesMax } satisfies PoolTaskOptions,
    },
  })
  const address = `${id}/pool`
  return {
    address,
    child: child(taskPool, { id: 'pool', shard: 'main', input, shutdown: drainTimeoutMs + 1_000 }),
    whenOpen: () => system.ref(taskPool, address).ask({ type: 'pool.whenOpen' }, { timeoutMs: openAnswerMs }),
    figures: () => readTaskPoolFigures(figures),
  }
}
