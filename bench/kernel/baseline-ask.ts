/**
 * The baseline of an ask: round trips between two threads over one bare MessagePort, 90 B there and back, in callbacks,
 * with no promise, no timer and no address. It runs in the two threads in which asks are measured: what their cores do,
 * sleep and wake up too, then meets both alike.
 */
import { MessageChannel, type MessagePort, postMessageToThread, threadId } from 'node:worker_threads'
import { sample } from './actor.ts'

/** The asking end. */
export interface BareAsks {
  /** So many round trips, one after the other; answers the milliseconds of each. */
  run(count: number): Promise<number[]>
}

let answers = false

/** Lets this thread answer {@link openBareAsks} of others; returns its number. */
export function answerBareAsks(): number {
  if (!answers) process.on('workerMessage', (port: MessagePort) => port.on('message', value => port.postMessage(value)))
  answers = true
  return threadId
}

/** Opens a port to a thread that answers. */
export async function openBareAsks(thread: number): Promise<BareAsks> {
  const { port1: port, port2 } = new MessageChannel()
  await postMessageToThread(thread, port2, [port2])
  let left = 0
  let from = 0
  let times: number[] = []
  let done: (times: number[]) => void
  const next = (): void => {
    const event = sample(left)
    from = performance.now()
    port.postMessage(event)
  }
  port.on('message', () => {
    times.push(performance.now() - from)
    if (--left > 0) next()
    else done(times)
  })
  port.unref()
  return {
    run: count =>
      new Promise(resolve => {
        left = count
        times = []
        done = resolve
        next()
      }),
  }
}
