/** What a task pool is told and asked, and what its own workers report. */
import type { EncodedError } from '../../messages/error-codec.ts'
import type { ActorExit } from '../../messages/thread/exit.ts'
import type { Request } from '../runtime/requests.ts'

/** Names a task among those of every actor that has some. */
export interface TaskName {
  /** Address and incarnation of the actor that waits for it. */
  readonly owner: string
  readonly ownerIncarnation: number
  /** Never used twice by one incarnation. */
  readonly number: number
}

/** What became of a task. */
export type TaskOutcome =
  | { readonly type: 'done'; readonly bytes: Uint8Array }
  /** The runner threw that. */
  | { readonly type: 'failed'; readonly error: EncodedError }
  /** The worker ended under it, for that reason. */
  | { readonly type: 'lost'; readonly error: EncodedError }
  /** It was not begun: there was no room. */
  | { readonly type: 'refused' }
  /** Its time was over; if it had begun, its worker was ended. */
  | { readonly type: 'expired' }
  /** It was taken back before it had begun. */
  | { readonly type: 'cancelled' }

/** Has a task done. Always answered, in `timeoutMs` and what the messages take, unless the pool itself ends. */
export type TaskRun = Request<
  TaskName & {
    readonly type: 'task.run'
    /** It waits behind those that are not. */
    readonly isBackground: boolean
    readonly timeoutMs: number
    /** For the runner; copied. */
    readonly payload: unknown
    /** For the runner; moved to the worker. Must have a buffer of its own. */
    readonly bytes: Uint8Array
  },
  TaskOutcome
>

/** Nobody waits for that task any more: it is not begun. One that has begun goes on, and its result is thrown away. */
export interface TaskCancel extends TaskName {
  readonly type: 'task.cancel'
}

/** Answered as soon as all workers have loaded. */
export type PoolWhenOpen = Request<{ readonly type: 'pool.whenOpen' }, undefined>

/** The supervisor's polite request to end: what is in hand is done, nothing else. */
interface ActorShutdown {
  readonly type: 'actor.shutdown'
}

/** The end of an actor that has tasks here. */
interface OwnerExited {
  readonly type: 'actor.exited'
  readonly exit: ActorExit
}

/** A worker has loaded the runner. */
interface WorkerLoaded {
  readonly type: 'worker.loaded'
}

/** The runner cannot be loaded. */
interface WorkerFailed {
  readonly type: 'worker.failed'
  readonly error: unknown
}

/** A worker is done with a task, or has ended under it. */
interface TaskFinished {
  readonly type: 'task.finished'
  readonly key: string
  readonly outcome: TaskOutcome
}

/** The time of a task is over. */
interface TaskExpired {
  readonly type: 'task.expired'
  readonly key: string
}

/** Every event of the pool's chart. */
export type TaskPoolEvent =
  | TaskRun
  | TaskCancel
  | PoolWhenOpen
  | ActorShutdown
  | OwnerExited
  | WorkerLoaded
  | WorkerFailed
  | TaskFinished
  | TaskExpired
