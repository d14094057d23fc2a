/** What the workers of a task pool do: code that each of them loads for itself. */
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { type DefinitionKind, hasKind } from '../runtime/import-definition.ts'

/** What a runner can reach: actors, in the name of its pool, and the log. */
export type TaskReach = Pick<ActorRuntime, 'send' | 'ask' | 'log'>

/**
 * Does one task. `payload` was copied on its way here, `bytes` moved: both are the runner's own. What it answers is
 * copied; what it throws goes to whoever asked, and the worker lives on.
 */
export type RunTask = (payload: unknown, bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** A runner that workers can load. */
export interface TaskRunnerDefinition<TOptions> {
  readonly kind: 'taskRunner'
  readonly moduleUrl: string
  readonly exportName: string
  /** Called once in each worker. */
  create(options: TOptions, reach: TaskReach): RunTask | Promise<RunTask>
}

/** How a runner is named to a worker. */
export interface TaskRunnerReference {
  readonly moduleUrl: string
  readonly exportName: string
  /** Clonable. */
  readonly options: unknown
}

/** What a worker imports. */
export const taskRunnerKind: DefinitionKind<TaskRunnerDefinition<unknown>> = {
  name: 'a task runner',
  is: (value): value is TaskRunnerDefinition<unknown> => hasKind(value, 'taskRunner'),
}

/** Declares a runner: `export const eventTasks = defineTaskRunner(import.meta.url, 'eventTasks', …)`. */
export function defineTaskRunner<TOptions>(
  moduleUrl: string,
  exportName: string,
  create: TaskRunnerDefinition<TOptions>['create'],
): TaskRunnerDefinition<TOptions> {
  return { kind: 'taskRunner', moduleUrl, exportName, create }
}
