/**
 * The workers of a task pool: a Piscina that is never handed more tasks than it has workers, since the chart keeps the queue
 * (Piscina's own has no bound for tasks that can be aborted). A worker that ends, or is ended, is replaced by Piscina.
 */
import { extname } from 'node:path'
import { MessagePort, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { decodeError, encodeError } from '../../messages/error-codec.ts'
import { StarfishError } from '../../messages/errors.ts'
import { thrownText } from '../../messages/thread/exit-text.ts'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { Deadline, Deadlines } from '../runtime/deadlines.ts'
import { LogThrottle } from '../runtime/log-throttle.ts'
import { type PoolTransfer, workerOptions } from '../runtime/worker-options.ts'
import type { TaskPoolInput } from './config.ts'
import type { TaskOutcome, TaskPoolEvent } from './events.ts'
import { openTaskPoolFigures, type TaskPoolCounters } from './figures.ts'
import { keyOf, outcomeOf, type TaskPoolContext } from './machine.ts'
import { orphans, type PoolTask } from './transitions.ts'
import type { PoolMessage, WorkerHello, WorkerMessage, WorkerSetup } from './worker-line.ts'

/** Same extension as this module has: .ts in src, .js in dist. */
const workerUrl = new URL(`./worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url).href

/** How often the ends of workers are logged, ms. */
const logIntervalMs = 1_000

/** What is logged once in a while: workers that end under a task or without one, events that cannot be sent. */
type LoggedKind = 'lost' | 'idle' | 'send'

interface Scope {
  readonly context: TaskPoolContext
  readonly event: TaskPoolEvent
}

/** A task as the I/O knows it. */
class Handle extends Deadline {
  readonly key: string
  /** A worker has it, or had it. */
  begun = false
  /** Ends the worker that has it. */
  abort: AbortController | undefined

  constructor(key: string) {
    super()
    this.key = key
  }
}

/** What provides the chart's actions. */
export function taskPoolIo(runtime: ActorRuntime) {
  const feed = (event: TaskPoolEvent): void => runtime.feed(event)
  const handles = new Map<string, Handle>()
  const deadlines = new Deadlines<Handle>(runtime.clock, true, ({ key }) => feed({ type: 'task.expired', key }))
  const throttle = new LogThrottle<LoggedKind>(runtime.clock, logIntervalMs)
  let workers: Piscina | undefined
  let counters: TaskPoolCounters | undefined
  let toldOfNiceness = false
  let closed = false
  const attended = new WeakSet<Worker>()
  /** Threads of the workers that have loaded. */
  const loaded = new Set<number>()

  function open(input: TaskPoolInput): void {
    counters = openTaskPoolFigures(input.figures)
    counters.setLoad(0, 0)
    const pool = createWorkers(input)
    workers = pool
    attend()
    pool.on('message', (message: unknown) => greet(input, message))
    pool.on('error', (err: unknown) => logEnd('idle', err))
    runtime.onStop(async () => {
      closed = true
      for (const handle of handles.values()) deadlines.clear(handle)
      counters?.setLoad(0, 0)
      await pool.destroy()
    })
  }

  /**
   * Looks after the workers that Piscina has started, which it does in place of each that ends. One that ends before it has
   * loaded is not replaced, and what waits for it would wait in vain: then the pool has failed.
   */
  function attend(): void {
    for (const worker of workers?.threads ?? []) {
      if (attended.has(worker)) continue
      attended.add(worker)
      const { threadId } = worker
      worker.once('exit', code => {
        if (!loaded.delete(threadId) && !closed) feed({ type: 'worker.failed', error: endedEarly(code) })
        attend()
      })
    }
  }

  function greet({ niceIncrement }: TaskPoolInput, message: unknown): void {
    if (!isHello(message)) return
    if (message.type === 'worker.failed') {
      feed({ type: 'worker.failed', error: decodeError(message.error) })
      return
    }
    loaded.add(message.threadId)
    serveWorker(runtime, throttle, message.port)
    if (message.niceness < niceIncrement && !toldOfNiceness) {
      toldOfNiceness = true
      const { niceness } = message
      runtime.log.warn({ niceIncrement, niceness }, 'the workers of a task pool run at a higher priority than wanted')
    }
    feed({ type: 'worker.loaded' })
  }

  function logEnd(kind: 'lost' | 'idle', err: unknown): void {
    const message = kind === 'lost' ? 'a worker of a task pool ended under a task' : 'a worker of a task pool ended'
    throttle.write(kind, leftOut => runtime.log.warn({ err, leftOut }, message))
  }

  async function run({ key, payload, bytes }: PoolTask, handle: Handle): Promise<void> {
    const abort = new AbortController()
    handle.abort = abort
    let outcome: TaskOutcome
    try {
      outcome = await workers!.run(
        { payload, bytes },
        { signal: abort.signal, transferList: [bytes.buffer] as unknown as PoolTransfer },
      )
    } catch (error) {
      if (closed || abort.signal.aborted) return
      logEnd('lost', error)
      outcome = { type: 'lost', error: encodeError(error) }
    }
    handle.abort = undefined
    feed({ type: 'task.finished', key, outcome })
  }

  return {
    actions: {
      openWorkers: ({ context }: Scope) => open(context.input),
      time({ event }: Scope) {
        if (event.type !== 'task.run') return
        const handle = new Handle(keyOf(event))
        handles.set(handle.key, handle)
        deadlines.set(handle, event.timeoutMs, runtime.clock.now())
      },
      runDue({ context }: Scope) {
        for (const task of context.load.running.values()) {
          const handle = handles.get(task.key)
          if (handle !== undefined && !handle.begun) {
            handle.begun = true
            void run(task, handle)
          }
        }
      },
      drop({ event }: Scope) {
        const handle = handles.get(keyOf(event))
        if (handle === undefined) return
        handles.delete(handle.key)
        deadlines.clear(handle)
        handle.abort?.abort()
      },
      cancelOrphans({ context, event }: Scope) {
        if (event.type !== 'actor.exited') return
        const { address, incarnation } = event.exit
        for (const { owner, ownerIncarnation, number } of orphans(context.load, address, incarnation)) {
          feed({ type: 'task.cancel', owner, ownerIncarnation, number })
        }
      },
      countRefused: () => counters?.count('refused'),
      countOutcome({ event }: Scope) {
        const { type } = outcomeOf(event)
        if (type === 'lost') counters?.count('lost')
        else counters?.count(type === 'expired' || type === 'cancelled' ? 'cancelled' : 'completed')
      },
      showLoad: ({ context: { load } }: Scope) => counters?.setLoad(load.running.size, load.queue.length),
      reportFailure: ({ context }: Scope) => runtime.fail(context.error),
    },
  }
}

function createWorkers({ threads, niceIncrement, heapMb, runner }: TaskPoolInput): Piscina {
  return new Piscina({
    filename: workerUrl,
    name: 'runTask',
    minThreads: threads,
    maxThreads: threads,
    maxQueue: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    // A worker whose thread sleeps in Atomics.wait between tasks would not hear what it asked for.
    atomics: 'disabled',
    recordTiming: false,
    niceIncrement,
    workerData: { runner } satisfies WorkerSetup,
    ...workerOptions(heapMb),
  })
}

function endedEarly(code: number): StarfishError {
  const text = `a worker of a task pool ended with code ${code} before it had loaded`
  return new StarfishError('START_FAILED', text, { details: { code } })
}

/** False for what a handler posts to the parent of its thread, which is nobody's business. */
function isHello(message: unknown): message is WorkerHello {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false
  if (message.type === 'worker.loaded') return 'port' in message && message.port instanceof MessagePort
  return message.type === 'worker.failed' && 'error' in message
}

/** Does what a worker wants of other actors, in the name of the pool. The port closes with the worker. */
function serveWorker(runtime: ActorRuntime, throttle: LogThrottle<LoggedKind>, port: MessagePort): void {
  const asks = new Map<number, AbortController>()

  async function ask({ id, to, event, timeoutMs }: Extract<WorkerMessage, { type: 'ask' }>): Promise<void> {
    const abort = new AbortController()
    asks.set(id, abort)
    const outcome: PoolMessage = await runtime.ask(to, event, { timeoutMs, signal: abort.signal }).then(
      value => ({ id, ok: true, value }),
      error => ({ id, ok: false, error: encodeError(error) }),
    )
    asks.delete(id)
    try {
      port.postMessage(outcome)
    } catch (cause) {
      const text = `the answer of ${to} cannot be copied to a worker: ${thrownText(cause)}`
      const error = new StarfishError('NOT_CLONABLE', text, { cause })
      port.postMessage({ id, ok: false, error: encodeError(error) } satisfies PoolMessage)
    }
  }

  /** A fault of the handler was told to it; what a copy lacks, such as a type that only its class had, costs the event. */
  function send({ to, event }: Extract<WorkerMessage, { type: 'send' }>): void {
    try {
      runtime.send(to, event)
    } catch (err) {
      throttle.write('send', leftOut => runtime.log.warn({ err, to, leftOut }, 'an event of a worker cannot be sent'))
    }
  }

  port.on('message', (message: WorkerMessage) => {
    if (message.type === 'send') send(message)
    else if (message.type === 'abort') asks.get(message.id)?.abort()
    else if (message.type === 'ask') void ask(message)
    else runtime.log[message.level](decodeError(message.fields) as object, message.message)
  })
  port.on('close', () => {
    for (const abort of asks.values()) abort.abort()
  })
  port.unref()
}
