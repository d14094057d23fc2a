/**
 * Random runs of a producer against a peer that stores as the protocol says and fails by chance: before it has stored, after,
 * in the middle of a batch, by error and by a cut connection. What it has stored at the end says whether the producer kept its word.
 *
 * A failure prints its seed: `node test/services/clients/log/producer-model.test.ts SEED`.
 */
import t, { type Test } from 'tap'
import { createLogClient, createRandom, isStarfishError, type Random } from '../../../../src/index.ts'
import { logError } from '../../../../src/messages/index.ts'
import { type Produced, startLogPeer } from './log-peer.ts'

t.setTimeout(120_000)

interface Answer {
  readonly baseOffset: number
  readonly stored: number
}

/** How often each fault comes, of one. */
interface Faults {
  readonly cutBefore: number
  readonly cutAfter: number
  readonly failBefore: number
  readonly failAfter: number
  readonly part: number
}

const keptMax = 64

/** A partition: its messages, and the answers that are kept of each producer. */
class Partition {
  readonly values: string[] = []
  readonly #kept = new Map<bigint, Map<number, Answer>>()

  /** What a repeat is answered; undefined for a new one. Throws for a sequence that may have been stored, and nobody knows. */
  known({ producerId, sequence }: Produced): Answer | undefined {
    const answers = this.#kept.get(producerId)
    const last = Math.max(-1, ...(answers?.keys() ?? []))
    if (sequence <= last - keptMax) throw new Error(`sequence ${sequence} comes when ${last} was stored`)
    return answers?.get(sequence)
  }

  store({ producerId, sequence, values }: Produced, count: number): Answer {
    const answer = { baseOffset: this.values.length, stored: count }
    this.values.push(...values.slice(0, count))
    const answers = this.#kept.get(producerId) ?? new Map<number, Answer>()
    this.#kept.set(producerId, answers.set(sequence, answer))
    return answer
  }
}

function misbehave(partitions: ReadonlyMap<number, Partition>, faults: Faults, random: Random) {
  return (produced: Produced): void => {
    const { values, socket } = produced
    const partition = partitions.get(produced.partition)!
    const tell = ({ baseOffset, stored }: Answer) =>
      stored === values.length
        ? produced.stored(baseOffset)
        : produced.partly(baseOffset, stored, logError.storageError)
    const known = partition.known(produced)
    if (known !== undefined) {
      tell(known)
      return
    }
    if (random() < faults.cutBefore) socket.destroy()
    else if (random() < faults.failBefore) produced.failed(logError.storageError)
    else {
      const isPart = values.length > 1 && random() < faults.part
      const answer = partition.store(produced, isPart ? 1 + Math.floor(random() * (values.length - 1)) : values.length)
      if (random() < faults.cutAfter) socket.destroy()
      else if (random() < faults.failAfter) produced.failed(logError.storageError)
      else tell(answer)
    }
  }
}

const cuts: Faults = { cutBefore: 0.02, cutAfter: 0.02, failBefore: 0, failAfter: 0, part: 0 }
const all: Faults = { cutBefore: 0.02, cutAfter: 0.02, failBefore: 0.05, failAfter: 0.05, part: 0.2 }

async function tryRun(t: Test, seed: number, faults: Faults, inFlightMax: number, isOrdered: boolean): Promise<void> {
  const random = createRandom(seed)
  const partitions = new Map([1, 2, 3].map(id => [id, new Partition()]))
  const peer = await startLogPeer(t, { partitions: [1, 2, 3], onProduce: misbehave(partitions, faults, random) })
  await using client = createLogClient({
    brokers: { port: peer.port },
    retry: { initialMs: 1, maxMs: 3 },
    pool: { backoffInitialMs: 1, backoffMaxMs: 3, connectionsPerServer: 1 + (seed % 3) },
  })
  const batchBytesMax = 40 + Math.floor(random() * 400)
  await using producer = client.producer({ inFlightMax, batchBytesMax, bufferBytesMax: 5_000, timeoutMs: 60_000 })
  const stored: { value: string; partition: number; offset: number }[] = []
  const sends: Promise<void>[] = []
  for (let n = 0, sent = 0; n < 150; n++) {
    const messages = Array.from({ length: 1 + Math.floor(random() * 8) }, () => ({
      key: `${sent % 20}`,
      value: `${sent++}`,
    }))
    await producer.ready()
    const take = producer.send({ topic: 't', messages }).then(places => {
      for (const [at, place] of places.entries()) stored.push({ ...place, value: messages[at]!.value })
    })
    sends.push(take.catch(error => void t.fail(`seed ${seed}: ${isStarfishError(error) ? error.message : error}`)))
    if (random() < 0.2) await new Promise(resolve => setImmediate(resolve))
  }
  await Promise.all(sends)
  const wrong = stored.filter(({ partition, offset, value }) => partitions.get(partition)!.values[offset] !== value)
  t.same(wrong, [], `seed ${seed}: what was acknowledged is where it was said to be`)
  const values = [...partitions.values()].flatMap(partition => partition.values)
  t.equal(values.length, stored.length, `seed ${seed}: nothing twice, nothing lost`)
  for (const partition of isOrdered ? partitions.values() : []) {
    const sorted = partition.values.toSorted((one, other) => Number(one) - Number(other))
    t.same(partition.values, sorted, `seed ${seed}: in the order of the sends`)
  }
  t.same(producer.stats(), { bufferedBytes: 0, sendsWaiting: 0, inFlight: 0 })
}

const [only] = process.argv.slice(2).map(Number)
const seeds = only === undefined ? Array.from({ length: 15 }, (_, n) => n + 1) : [only]

t.test('connections are cut: order is kept', async t => {
  for (const seed of seeds) await tryRun(t, seed, cuts, 1 + (seed % 12), true)
})

t.test('the store fails too: one in flight keeps the order', async t => {
  for (const seed of seeds) await tryRun(t, seed, all, 1, true)
})

t.test('the store fails too: several in flight keep all but the order', async t => {
  for (const seed of seeds) await tryRun(t, seed, all, 2 + (seed % 63), false)
})
