/** `starfish log consume`: messages become lines of stdout. */
import type { ConsumedBatch } from '../../services/clients/log/consumer/consumed-batch.ts'
import type { LogConsumer } from '../../services/clients/log/consumer/log-consumer.ts'
import { partitionNotFound, topicNotFound } from '../../services/clients/log/topic-directory.ts'
import type { LogClient } from '../../services/log-client.ts'
import type { StopSignals } from '../stop-signals.ts'
import { lineOf } from './lines.ts'
import { type ConsumeCall, commandOf } from './log-options.ts'
import { writeOut } from './output.ts'
import { connectionTrouble, partitionTrouble, tellTrouble } from './trouble.ts'

/** Settles with the exit code. */
export async function consumeLines(client: LogClient, call: ConsumeCall, signals: StopSignals): Promise<number> {
  let consumer: LogConsumer | undefined
  const trouble = () => connectionTrouble(client.stats()) ?? partitionTrouble(consumer?.stats() ?? [])
  const endTrouble = tellTrouble(commandOf('consume'), trouble)
  try {
    const looking = call.untilEnd ? endsOf(client, call) : undefined
    const ends = await Promise.race([looking, signals.asked.then(() => new Map<number, number>())])
    if (ends?.size === 0) return 0
    consumer = consumerOf(client, call)
    return await writeLines(consumer, call, ends, signals)
  } finally {
    endTrouble()
  }
}

function consumerOf(client: LogClient, { topic, from, partition, offset }: ConsumeCall): LogConsumer {
  return client.consumer({
    topic,
    from: partition !== undefined && offset !== undefined ? { [partition]: offset } : from,
    ...(partition === undefined ? {} : { partitions: [partition] }),
  })
}

async function writeLines(
  consumer: LogConsumer,
  call: ConsumeCall,
  ends: Map<number, number> | undefined,
  signals: StopSignals,
): Promise<number> {
  void signals.asked.then(() => consumer.close())
  let left = call.count
  await consumer.eachBatch(async batch => {
    const lines = batch.messages.slice(0, Math.min(left, countBefore(batch, ends)))
    left -= lines.length
    const isRead = await writeOut(Buffer.concat(lines.map(message => lineOf(message, call))))
    if (!isRead || left === 0 || hasReached(batch, ends)) await consumer.close()
  })
  return 0
}

/** Where the partitions end now, of those that have messages to be read. Rejects when there is no such topic or partition. */
async function endsOf(client: LogClient, call: ConsumeCall): Promise<Map<number, number>> {
  const { topic, from, partition, offset } = call
  const partitions = (await client.listTopics()).find(({ name }) => name === topic)?.partitions
  if (partitions === undefined) throw topicNotFound(topic)
  if (partition !== undefined && !partitions.includes(partition)) throw partitionNotFound(topic, partition)
  const ends = new Map<number, number>()
  if (from === 'end' && offset === undefined) return ends
  for (const id of partition === undefined ? partitions : [partition]) {
    const end = await client.getOffset(id)
    // An offset beyond the end is an error, which the consumer tells.
    if (end !== (offset ?? 0)) ends.set(id, end)
  }
  return ends
}

function countBefore({ partition, baseOffset }: ConsumedBatch, ends: ReadonlyMap<number, number> | undefined): number {
  if (ends === undefined) return Number.POSITIVE_INFINITY
  return Math.max(0, (ends.get(partition) ?? 0) - baseOffset)
}

/** Strikes the partition out that has come to its end; true when none is left. */
function hasReached({ partition, nextOffset }: ConsumedBatch, ends: Map<number, number> | undefined): boolean {
  if (ends === undefined) return false
  if (nextOffset >= (ends.get(partition) ?? 0)) ends.delete(partition)
  return ends.size === 0
}
