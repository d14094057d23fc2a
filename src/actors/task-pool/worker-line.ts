/**
 * What a worker of the pool and the pool say to each other, beside tasks and their results: over a port of their own, which
 * the worker hands to the pool as soon as it has loaded, or could not.
 */
import type { MessagePort } from 'node:worker_threads'
import type { EncodedError } from '../../messages/error-codec.ts'
import type { ActorEvent } from '../runtime/actor-runtime.ts'
import type { TaskRunnerReference } from './task-runner.ts'

/** The levels of a log. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const

/** What every worker of a pool is started with. */
export interface WorkerSetup {
  readonly runner: TaskRunnerReference
}

/** The first and only message that a worker posts to its parent. */
export type WorkerHello =
  | { readonly type: 'worker.loaded'; readonly port: MessagePort; readonly threadId: number; readonly niceness: number }
  | { readonly type: 'worker.failed'; readonly error: EncodedError }

/** What a worker has its pool do in its name. */
export type WorkerMessage =
  | { readonly type: 'send'; readonly to: string; readonly event: ActorEvent }
  | {
      readonly type: 'ask'
      readonly id: number
      readonly to: string
      readonly event: ActorEvent
      readonly timeoutMs: number
    }
  /** Whoever asked has aborted. */
  | { readonly type: 'abort'; readonly id: number }
  | {
      readonly type: 'log'
      readonly level: (typeof logLevels)[number]
      readonly fields: EncodedError
      readonly message: string | undefined
    }

/** What the pool answers: the outcome of an ask. */
export type PoolMessage =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: EncodedError }
