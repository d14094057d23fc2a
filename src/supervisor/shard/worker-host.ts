/**
 * The seam between the kernel and whatever runs worker threads. A host starts one worker at a time, tells how each
 * ended, and never starts one by itself: to replace what ended is the supervisor's business.
 */
import type { MessagePort, Transferable } from 'node:worker_threads'
import type { ExitReason } from '../../messages/thread/exit.ts'

/** Starts workers. */
export interface WorkerHost {
  /**
   * Starts one worker and returns at once. Throws SHUTTING_DOWN after `close`. What goes wrong later is told by
   * `loaded` and `ended` of the worker.
   */
  start(options: WorkerStart): HostedWorker
  /** Ends every worker that is left, with reason `shutdown`; settles when all are gone but for zombies. */
  close(): Promise<void>
}

/** What one worker is started with. */
export interface WorkerStart {
  /** Index of the shard's slot. */
  readonly workerIndex: number
  /** URL of a module that exports `runShard(context)`, see {@link RunShard}. */
  readonly runnerUrl: string
  /** Handed to the runner through structured clone. */
  readonly bootstrap: unknown
  /** What of `bootstrap` is moved rather than copied. Ports among them are closed if the worker ends before it took them. */
  readonly transfer?: readonly Transferable[]
  /** Most that the worker's old heap may grow to, MiB; the platform's default when missing. Buffers do not count. */
  readonly heapMb?: number
  /** How long loading may take, ms. Time in which the machine gave the worker no processor does not count. */
  readonly loadTimeoutMs: number
}

/** One worker thread, from its start to its end. */
export interface HostedWorker {
  readonly workerIndex: number
  /** Node's number for the thread; unique in the process. */
  readonly threadId: number
  /** The main thread's end of the control channel; the worker's end is in the runner's context. Closed when it ended. */
  readonly port: MessagePort
  /** The numbers both sides share, laid out by `shardCell`. */
  readonly shared: SharedArrayBuffer
  /** The runner stands, ready to be activated. Rejects with START_FAILED (`details.reason`, `cause`) when it ended first. */
  readonly loaded: Promise<void>
  /** Settles once, as soon as it is certain that the worker ends and why, before its thread is gone. */
  readonly ending: Promise<ExitReason>
  /**
   * Settles once, whatever happens: when no code of the worker can run any more and what it had open is closed, or when
   * it is given up as a zombie. Never rejects.
   */
  readonly ended: Promise<WorkerEnd>
  /** Settles when the thread is gone, its memory given back: soon after `ended`, later for a zombie. */
  readonly gone: Promise<void>
  /**
   * Ends the worker; settles with `ended`. The first reason wins: `ended` reports this one unless the worker was ending
   * before. A worker that is not gone in `zombieAfterMs` (a native call cannot be interrupted) is given up as a zombie.
   */
  terminate(reason: ExitReason): Promise<void>
  /** Processor time the thread used, microseconds; undefined when the worker ended or does not answer. */
  cpuUsage(): Promise<NodeJS.CpuUsage | undefined>
  /** V8's figures of the worker's heap; undefined when the worker ended or does not answer. */
  heapStatistics(): Promise<import('node:v8').HeapInfo | undefined>
  /** Share of time the worker's event loop was busy since its start, 0 to 1. */
  eventLoopUtilization(): number
}

/** How a worker ended. */
export interface WorkerEnd {
  readonly reason: ExitReason
  /** When it ended, ms since the epoch. */
  readonly atMs: number
  /** True when its thread still runs: it is fenced (its ports are closed), but holds memory and perhaps sockets. */
  readonly zombie: boolean
}

/** What a runner module exports under the name `runShard`; the shard is loaded when it has returned. */
export type RunShard = (context: ShardContext) => void | Promise<void>

/** What the runner is handed in the worker. */
export interface ShardContext {
  readonly workerIndex: number
  /** The worker's end of the control channel. */
  readonly port: MessagePort
  /** The numbers both sides share, laid out by `shardCell`. */
  readonly shared: SharedArrayBuffer
  readonly bootstrap: unknown
  /**
   * Sets the one who is asked about every error that nobody caught, in the asynchronous context of its origin. When it
   * returns true the error is contained (it cost an actor) and the worker lives on; else the error ends the worker.
   */
  onFatal(contains: (reason: FatalReason) => boolean): void
  /** Tells the watchdog that the event loop turns; the worker's own tick does so as well. */
  beat(): void
  /** Ends the worker from within with that reason; does not return. */
  end(reason: ExitReason): never
}

/** An error that nobody caught. */
export type FatalReason = Extract<ExitReason, { type: 'threw' | 'unhandledRejection' }>
