/**
 * The baseline of an ask: round trips between two workers over one bare MessagePort, 90 B there and back, in callbacks,
 * with no promise, no timer and no address. `createBareAsks` starts both workers; this file is what both run.
 */
import { once } from 'node:events'
import { isMainThread, MessageChannel, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { sample } from './actor.ts'

/** The two workers. */
export interface BareAsks {
  /** So many round trips, one after the other; answers the milliseconds of each. */
  run(count: number): Promise<number[]>
  stop(): Promise<void>
}

/** Starts an asker and an answerer with a port between them. */
export function createBareAsks(): BareAsks {
  const { port1, port2 } = new MessageChannel()
  const file = new URL(import.meta.url)
  const asker = new Worker(file, { workerData: { asks: true, port: port1 }, transferList: [port1] })
  const answerer = new Worker(file, { workerData: { asks: false, port: port2 }, transferList: [port2] })
  return {
    async run(count) {
      asker.postMessage(count)
      const [times] = await once(asker, 'message')
      return times
    },
    async stop() {
      await Promise.all([asker.terminate(), answerer.terminate()])
    },
  }
}

function answer(port: MessagePort): void {
  port.on('message', value => port.postMessage(value))
}

function ask(port: MessagePort): void {
  let left = 0
  let from = 0
  let times: number[] = []
  const next = (): void => {
    const event = sample(left)
    from = performance.now()
    port.postMessage(event)
  }
  port.on('message', () => {
    times.push(performance.now() - from)
    if (--left > 0) next()
    else parentPort!.postMessage(times)
  })
  parentPort!.on('message', (count: number) => {
    left = count
    times = []
    next()
  })
}

if (!isMainThread && workerData?.port !== undefined) {
  if (workerData.asks) ask(workerData.port)
  else answer(workerData.port)
}
