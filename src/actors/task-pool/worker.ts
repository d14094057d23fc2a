/** What runs inside a worker of the pool: loads the runner, does one task after the other, speaks to the pool meanwhile. */
import { getPriority } from 'node:os'
import { MessageChannel, type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { decodeError, encodeError } from '../../messages/error-codec.ts'
import { StarfishError } from '../../messages/errors.ts'
import type { ActorLogger } from '../runtime/actor-runtime.ts'
import { importDefinition } from '../runtime/import-definition.ts'
import type { TaskOutcome } from './events.ts'
import { type RunTask, type TaskReach, taskRunnerKind } from './task-runner.ts'
import { logLevels, type PoolMessage, type WorkerHello, type WorkerMessage, type WorkerSetup } from './worker-line.ts'

/** One task as it comes to a worker. */
export interface WorkerTask {
  readonly payload: unknown
  readonly bytes: Uint8Array
}

const line = new MessageChannel()
const loading = load(line.port1)
loading.then(
  () => hello({ type: 'worker.loaded', port: line.port2, niceness: getPriority() }),
  error => hello({ type: 'worker.failed', error: encodeError(error) }),
)

/** Does one task. Piscina calls it by its name; it never throws. */
export async function runTask({ payload, bytes }: WorkerTask): Promise<TaskOutcome> {
  try {
    const run = await loading
    const result = await run(payload, bytes)
    // The runner's own bytes stay with it, and whatever else is in their buffer: it may answer the same ones again.
    return moved(new Uint8Array(result))
  } catch (error) {
    return { type: 'failed', error: encodeError(error) }
  }
}

/** The outcome as Piscina posts it: with the buffer of `bytes` moved, not copied. */
function moved(bytes: Uint8Array): TaskOutcome {
  const value = { type: 'done', bytes } satisfies TaskOutcome
  return move({ [transferableSymbol]: bytes.buffer, [valueSymbol]: value } as never) as unknown as TaskOutcome
}

function hello(message: WorkerHello): void {
  parentPort!.postMessage(message, 'port' in message ? [message.port] : [])
}

async function load(port: MessagePort): Promise<RunTask> {
  const { runner } = workerData as WorkerSetup
  const definition = await importDefinition(runner, taskRunnerKind)
  return definition.create(runner.options, createReach(port))
}

/** Actors and the log, over the port. */
function createReach(port: MessagePort): TaskReach {
  const asks = new Map<number, (message: PoolMessage) => void>()
  const log = Object.fromEntries(
    logLevels.map(level => [
      level,
      (fields: object | string, message?: string) => {
        const given = typeof fields === 'string' ? {} : fields
        post({ type: 'log', level, fields: encodeError(given), message: typeof fields === 'string' ? fields : message })
      },
    ]),
  ) as unknown as ActorLogger
  let lastId = 0

  function post(message: WorkerMessage): void {
    port.postMessage(message)
  }

  port.on('message', (message: PoolMessage) => {
    asks.get(message.id)?.(message)
    asks.delete(message.id)
  })
  // What keeps a worker alive is its pool.
  port.unref()

  return {
    log,
    send(to, event) {
      try {
        post({ type: 'send', to, event })
      } catch (error) {
        log.warn({ err: error, to, event: event.type }, 'an event cannot be copied to another thread')
      }
    },
    ask(to, event, { timeoutMs, signal }) {
      return new Promise((resolve, reject) => {
        const id = ++lastId
        const abort = (): void => post({ type: 'abort', id })
        try {
          post({ type: 'ask', id, to, event, timeoutMs })
        } catch (cause) {
          throw new StarfishError('NOT_CLONABLE', `${event.type} cannot be copied to ${to}`, {
            details: { address: to, type: event.type },
            handled: 'no',
            cause,
          })
        }
        asks.set(id, message => {
          signal?.removeEventListener('abort', abort)
          if (message.ok) resolve(message.value)
          else reject(decodeError(message.error))
        })
        signal?.addEventListener('abort', abort, { once: true })
        if (signal?.aborted) abort()
      })
    },
  }
}
