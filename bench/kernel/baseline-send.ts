/**
 * The baseline of sends: `postMessage` of the same batches on a bare port, each message handled by the step of an actor
 * that is found by its address. Two forms, and the better one counts: `envelopes` is an array of `{ to, from, event }`;
 * `flat` is the cheapest to clone that we found, one array of `to, event, to, event …` with addresses as numbers that
 * both sides know from the start. This file is what the receiving worker runs, too.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { addresses, type Sample, SampleActor, sample } from './actor.ts'
import { batchMessages, turn, windowMessages } from './pace.ts'

/** How a batch is laid out. */
export type BareForm = 'envelopes' | 'flat'

/** The receiving worker. */
export interface BareSends {
  /** Sends so many messages, in batches; answers milliseconds until the last was handled. */
  run(messages: number, form: BareForm): Promise<number>
  stop(): Promise<unknown>
}

interface BareEnvelope {
  readonly to: string
  readonly from: string
  readonly event: Sample
}

/** Starts the receiving worker. */
export function createBareSends(): BareSends {
  const shared = new SharedArrayBuffer(4)
  const handled = new Int32Array(shared)
  const worker = new Worker(new URL(import.meta.url), { workerData: { handled: shared } })
  let sent = 0
  return {
    async run(messages, form) {
      const goal = sent + messages
      const from = performance.now()
      while (sent < goal) {
        if (sent - Atomics.load(handled, 0) <= windowMessages - batchMessages) {
          worker.postMessage(form === 'flat' ? flatBatch(sent) : envelopeBatch(sent))
          sent += batchMessages
        }
        await turn()
      }
      while (Atomics.load(handled, 0) < goal) await turn()
      return performance.now() - from
    },
    stop: () => worker.terminate(),
  }
}

function flatBatch(first: number): (number | Sample)[] {
  const batch: (number | Sample)[] = []
  for (let number = first; number < first + batchMessages; number++) batch.push(number & 63, sample(number))
  return batch
}

function envelopeBatch(first: number): BareEnvelope[] {
  const batch: BareEnvelope[] = []
  for (let number = first; number < first + batchMessages; number++) {
    batch.push({ to: addresses[number & 63]!, from: 'bench/sender', event: sample(number) })
  }
  return batch
}

function receive(shared: SharedArrayBuffer): void {
  const handled = new Int32Array(shared)
  const actors = addresses.map(() => new SampleActor())
  const byAddress = new Map(addresses.map((address, index) => [address, actors[index]!]))
  let count = 0
  parentPort!.on('message', (batch: (number | Sample)[] | BareEnvelope[]) => {
    if (typeof batch[0] === 'number') {
      for (let at = 0; at < batch.length; at += 2) actors[batch[at] as number]!.step(batch[at + 1] as Sample)
      count += batch.length / 2
    } else {
      for (const { to, event } of batch as BareEnvelope[]) byAddress.get(to)!.step(event)
      count += batch.length
    }
    Atomics.store(handled, 0, count)
  })
}

if (!isMainThread && workerData?.handled !== undefined) receive(workerData.handled)
