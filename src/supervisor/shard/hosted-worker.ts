/**
 * One worker thread inside a Piscina pool of its own, from start to end.
 *
 *     start -> [loading] -- shard.loaded --> [loaded] --.
 *                  '-- error, exit, shard.ending, terminate, stalled --> [ending] -- port closes --> [ended] -- exit --> [gone]
 *                                              (reason fixed, first wins)   '-- zombieAfterMs --> [ended, zombie] -- exit --> [gone]
 *
 * The port closes with all that the thread had open, when no code of it can run any more; `exit` comes after its heap was
 * taken down, which takes 1 ms for an empty one and 100 for some hundred MB: too long to wait for.
 *
 * The pool runs one task that never returns and holds nothing else, so it has no reason to start a second thread:
 * `minThreads` is 0, and a thread that ends is not replaced.
 */
import { channel } from 'node:diagnostics_channel'
import { extname } from 'node:path'
import type { HeapInfo } from 'node:v8'
import { MessageChannel, MessagePort, receiveMessageOnPort, type Transferable, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Clock } from '../../actors/runtime/clock.ts'
import { type PoolTransfer, workerOptions } from '../../actors/runtime/worker-options.ts'
import { StarfishError } from '../../messages/errors.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { decodeExitReason } from '../../messages/thread/exit-codec.ts'
import { type HostMessage, type ThreadEnding, threadEndingChannel } from '../../messages/thread/host.ts'
import type { HostTask } from './host-task.ts'
import { createShardCells } from './shard-cells.ts'
import type { Watched } from './watchdog.ts'
import type { Diagnosis } from './watchdog-decision.ts'
import { reasonOfWorkerError, reasonOfWorkerExit } from './worker-end.ts'
import type { HostedWorker, WorkerEnd, WorkerStart } from './worker-host.ts'

/** What all workers of a host have in common. */
export interface WorkerSurroundings {
  readonly clock: Clock
  readonly tickMs: number
  readonly heapMarkRatio: number
  readonly zombieAfterMs: number
  readonly diagnosed: (worker: HostedWorker, diagnosis: Diagnosis, forMs: number) => void
}

/** Same extension as this module has: .ts in src, .js in dist. */
const hostTaskUrl = new URL(`./host-task${extname(new URL(import.meta.url).pathname)}`, import.meta.url).href

/** How long a worker may take to answer a question about itself, ms. */
const answerWithinMs = 1_000

const threadEnding = channel(threadEndingChannel)

/** Starts a worker at once. */
export class PiscinaWorker implements HostedWorker, Watched {
  readonly workerIndex: number
  readonly threadId: number
  readonly port: MessagePort
  readonly shared = createShardCells()
  readonly loadTimeoutMs: number
  readonly #load = Promise.withResolvers<void>()
  readonly #ending = Promise.withResolvers<ExitReason>()
  readonly #ended = Promise.withResolvers<WorkerEnd>()
  readonly #gone = Promise.withResolvers<void>()
  readonly loaded = this.#load.promise
  readonly ending = this.#ending.promise
  readonly ended = this.#ended.promise
  readonly gone = this.#gone.promise
  readonly #surroundings: WorkerSurroundings
  readonly #pool: Piscina
  readonly #worker: Worker
  readonly #hostPort: MessagePort
  /** Ports that the task takes along; still ours if the worker ends before the task was posted. */
  readonly #cargo: readonly MessagePort[]
  /** Ends each question to the worker that is open; a dead one never answers. */
  readonly #unanswered = new Set<() => void>()
  #isLoaded = false
  #isPortClosed = false
  #reason: ExitReason | undefined

  constructor(options: WorkerStart, surroundings: WorkerSurroundings) {
    const control = new MessageChannel()
    const host = new MessageChannel()
    this.workerIndex = options.workerIndex
    this.loadTimeoutMs = options.loadTimeoutMs
    this.port = control.port1
    this.#hostPort = host.port1
    this.#surroundings = surroundings
    const transfer: Transferable[] = [control.port2, host.port2, ...(options.transfer ?? [])]
    this.#cargo = transfer.filter(item => item instanceof MessagePort)
    // Nobody has to care for `loaded`: `ended` tells the same.
    this.loaded.catch(() => {})
    this.#pool = createPool(options.heapMb)
    const task = this.#taskOf(options, control.port2, host.port2)
    this.#pool.run(task, { transferList: transfer as unknown as PoolTransfer }).catch(this.#taskFailed)
    this.#worker = this.#pool.threads[0]!
    this.threadId = this.#worker.threadId
    this.#worker.on('error', error => this.#end(reasonOfWorkerError(error, this.#isLoaded)))
    this.#worker.on('exit', this.#exited)
    this.#hostPort.on('message', this.#told)
    this.#hostPort.on('close', this.#closed)
  }

  terminate(reason: ExitReason): Promise<void> {
    // It may have said already why it ends.
    this.#hear()
    this.#end(reason)
    return this.ended.then(() => {})
  }

  isLoaded(): boolean {
    return this.#isLoaded
  }

  diagnosed(diagnosis: Diagnosis, forMs: number): void {
    this.#surroundings.diagnosed(this, diagnosis, forMs)
    if (diagnosis === 'spinning' || diagnosis === 'paused') this.#end({ type: 'stalled', diagnosis, forMs })
  }

  overdue(forMs: number): void {
    const details = { loadTimeoutMs: this.loadTimeoutMs, forMs }
    const error = new StarfishError('START_FAILED', `the runner was not loaded within ${this.loadTimeoutMs} ms`, {
      details,
    })
    this.#end({ type: 'bootstrapFailed', error })
  }

  cpuUsage(): Promise<NodeJS.CpuUsage | undefined> {
    return this.#answer(() => this.#worker.cpuUsage())
  }

  heapStatistics(): Promise<HeapInfo | undefined> {
    return this.#answer(() => this.#worker.getHeapStatistics())
  }

  eventLoopUtilization(): number {
    return this.#worker.performance.eventLoopUtilization().utilization
  }

  #taskOf(options: WorkerStart, port: MessagePort, hostPort: MessagePort): HostTask {
    const { workerIndex, runnerUrl, bootstrap } = options
    const { tickMs, heapMarkRatio } = this.#surroundings
    return { workerIndex, runnerUrl, bootstrap, port, hostPort, shared: this.shared, tickMs, heapMarkRatio }
  }

  /** The task itself never fails: it could not be posted (what it carries cannot be cloned), or the thread had ended. */
  #taskFailed = (error: unknown): void => this.#end({ type: 'bootstrapFailed', error })

  #told = (message: HostMessage): void => {
    if (message.type === 'shard.ending') this.#end(decodeExitReason(message.reason))
    if (this.#reason !== undefined) return
    this.#isLoaded = true
    this.#load.resolve()
  }

  /** Takes what the worker has said and this thread has not come to yet. Of a closed port nobody may ask: that crashes Node. */
  #hear(): void {
    if (this.#isPortClosed) return
    for (let next = receiveMessageOnPort(this.#hostPort); next; next = receiveMessageOnPort(this.#hostPort))
      this.#told(next.message)
  }

  /** Of one that did not say why it ends its thread tells, later: it called `process.exit`, or ran out of heap. */
  #closed = (): void => {
    this.#isPortClosed = true
    if (this.#reason !== undefined) this.#settle(false)
  }

  #exited = (code: number): void => {
    // `exit` overtakes messages.
    this.#hear()
    this.#end(reasonOfWorkerExit(code))
    this.#settle(false)
    this.#gone.resolve()
    for (const port of this.#cargo) port.close()
  }

  /** Fixes the reason, the first time, and sees to it that the thread ends. */
  #end(reason: ExitReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#ending.resolve(reason)
    threadEnding.publish({ threadId: this.threadId } satisfies ThreadEnding)
    this.#load.reject(loadFailure(this.workerIndex, reason))
    for (const none of this.#unanswered) none()
    void this.#pool.destroy()
    const { clock, zombieAfterMs } = this.#surroundings
    const timer = clock.setTimeout(() => this.#settle(true), zombieAfterMs)
    void this.ended.then(() => clock.clearTimeout(timer))
  }

  #settle(zombie: boolean): void {
    this.#isPortClosed = true
    this.#ended.resolve({ reason: this.#reason!, atMs: this.#surroundings.clock.now(), zombie })
    this.#hostPort.close()
    // The port of a thread that is gone closes by itself, once all that it posted was read.
    if (zombie) this.port.close()
  }

  async #answer<T>(ask: () => Promise<T>): Promise<T | undefined> {
    if (this.#reason !== undefined) return undefined
    const { promise, resolve } = Promise.withResolvers<T | undefined>()
    const { clock } = this.#surroundings
    const none = () => resolve(undefined)
    const timer = clock.setTimeout(none, answerWithinMs)
    this.#unanswered.add(none)
    ask().then(resolve, none)
    const answer = await promise
    this.#unanswered.delete(none)
    clock.clearTimeout(timer)
    return answer
  }
}

function createPool(heapMb: number | undefined): Piscina {
  const pool = new Piscina({
    filename: hostTaskUrl,
    name: 'hostShard',
    minThreads: 0,
    maxThreads: 1,
    maxQueue: 0,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    recordTiming: false,
    ...workerOptions(heapMb),
  })
  // Emitted for a thread that fails before it takes its task; the thread's own events tell the same.
  pool.on('error', () => {})
  return pool
}

function loadFailure(workerIndex: number, reason: ExitReason): StarfishError {
  const cause = 'error' in reason ? reason.error : undefined
  const message = `the worker of a shard could not be loaded: ${reason.type}`
  return new StarfishError('START_FAILED', message, { details: { workerIndex, reason }, cause })
}
