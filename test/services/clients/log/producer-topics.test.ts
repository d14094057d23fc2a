/**
 * Random runs of a producer while its topic is deleted, made anew and sent to with partitions that it does not have. What was
 * stored is read before each deletion: all that was acknowledged is there, once, where it was said to be, in the order of the sends.
 *
 * A failure prints its seed: `node test/services/clients/log/producer-topics.test.ts SEED`.
 */
import t, { type Test } from 'tap'
import {
  createLogClient,
  createRandom,
  isStarfishError,
  type LogClient,
  memoryLogEngine,
} from '../../../../src/index.ts'
import { serveLog } from '../../fixtures/served-log.ts'

t.setTimeout(120_000)

interface Stored {
  readonly value: string
  readonly partition: number
  readonly offset: number
}

const mayFail = ['PARTITION_NOT_FOUND', 'TOPIC_NOT_FOUND']

async function valuesOf(client: LogClient, partition: number): Promise<string[]> {
  const { messages } = await client.fetch(partition, 0, 10_000_000)
  return messages.map(({ value }) => String(value))
}

async function tryRun(t: Test, client: LogClient, seed: number): Promise<void> {
  const random = createRandom(seed)
  const topic = `t${seed}`
  const drawn = (count: number) => Math.floor(random() * count)
  const create = async () => (await client.createTopic(topic, 1 + drawn(3))).partitions
  await using producer = client.producer({ inFlightMax: 1 + drawn(8), timeoutMs: 60_000 })
  const acknowledged: Stored[] = []
  let open: Promise<unknown>[] = []
  const read = new Map<number, string[]>()
  /** Of topics that were deleted while sends were open. */
  const unread = new Set<number>()
  let partitions = await create()
  let sent = 0

  function send(partition: number | undefined): void {
    const named = partition === undefined ? {} : { partition }
    const messages = Array.from({ length: 1 + drawn(4) }, () => ({ value: `${sent++}`, ...named }))
    const stored = producer.send({ topic, messages }).then(
      places => void acknowledged.push(...places.map((place, at) => ({ ...place, value: messages[at]!.value }))),
      error => {
        if (!(isStarfishError(error) && mayFail.includes(error.code))) t.fail(`seed ${seed}: ${error}`)
      },
    )
    open.push(stored)
  }

  for (let step = 0; step < 300; step++) {
    const chance = random()
    if (chance < 0.8) send(random() < 0.5 ? undefined : partitions[drawn(partitions.length)])
    else if (chance < 0.85) send(4_000_000 + step)
    else if (chance < 0.97) await Promise.all(open)
    else {
      const isQuiet = random() < 0.5
      if (isQuiet) await Promise.all(open)
      for (const partition of partitions) {
        read.set(partition, await valuesOf(client, partition))
        if (!isQuiet) unread.add(partition)
      }
      await client.deleteTopic(topic)
      if (random() < 0.5) send(undefined)
      partitions = await create()
    }
    if (open.length > 200) open = [Promise.all(open)]
  }
  await Promise.all(open)
  for (const partition of partitions) read.set(partition, await valuesOf(client, partition))

  const wrong = acknowledged.filter(({ partition, offset, value }) => {
    const values = read.get(partition)!
    return offset < values.length ? values[offset] !== value : !unread.has(partition)
  })
  t.same(wrong, [], `seed ${seed}: what was acknowledged is where it was said to be`)
  const all = [...read.values()].flat()
  t.equal(new Set(all).size, all.length, `seed ${seed}: nothing is there twice`)
  for (const values of read.values()) {
    const sorted = values.toSorted((one, other) => Number(one) - Number(other))
    t.same(values, sorted, `seed ${seed}: in the order of the sends`)
  }
}

const [only] = process.argv.slice(2).map(Number)
const seeds = only === undefined ? Array.from({ length: 30 }, (_, n) => n + 1) : [only]

t.test('topics come and go, and partitions are named that are not there', async t => {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined) })
  await using client = createLogClient(`127.0.0.1:${port}`)
  for (const seed of seeds) await tryRun(t, client, seed)
})
