/** What runs inside a worker of the pool: loads the runner, does one task after the other, speaks to the pool meanwhile. */
import { getPriority } from 'node:os'
import { MessageChannel, type MessagePort, parentPort, threadId, workerData } from 'node:worker_threads'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { checkAddress, checkEvent } from '../../messages/argument-check.ts'
import { decodeError, encodeError } from '../../messages/error-codec.ts'
import { StarfishError } from '../../messages/errors.ts'
import { thrownText } from '../../messages/thread/exit-text.ts'
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

/**
 * Does one task; never throws. Piscina finds it by its name and waits for it: a worker is given no task before it has loaded,
 * so that no deadline of a task can end a worker that is still loading.
 */
export const runTask = load()

async function load(): Promise<(task: WorkerTask) => Promise<TaskOutcome>> {
  const { port1, port2 } = new MessageChannel()
  let run: RunTask
  try {
    const { runner } = workerData as WorkerSetup
    const definition = await importDefinition(runner, taskRunnerKind)
    run = await definition.create(runner.options, createReach(port1))
  } catch (error) {
    parentPort!.postMessage({ type: 'worker.failed', error: encodeError(error) } satisfies WorkerHello)
    throw error
  }
  parentPort!.postMessage(
    { type: 'worker.loaded', port: port2, threadId, niceness: getPriority() } satisfies WorkerHello,
    [port2],
  )
  return async ({ payload, bytes }) => {
    try {
      // The runner's own bytes stay with it, and whatever else is in their buffer: it may answer the same ones again.
      return moved(new Uint8Array(await run(payload, bytes)))
    } catch (error) {
      return { type: 'failed', error: encodeError(error) }
    }
  }
}

/** The outcome as Piscina posts it: with the buffer of `bytes` moved, not copied. */
function moved(bytes: Uint8Array): TaskOutcome {
  const value = { type: 'done', bytes } satisfies TaskOutcome
  return move({ [transferableSymbol]: bytes.buffer, [valueSymbol]: value } as never) as unknown as TaskOutcome
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
      checkAddress('send', 'to', to)
      checkEvent('send', event)
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
          throw new StarfishError('NOT_CLONABLE', `${event.type} cannot be copied to ${to}: ${thrownText(cause)}`, {
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
