/** Topics and their partitions. */
import { topicLimits } from '../contract.ts'
import { equal, keepAll, ok, patient, plenty, refused, same } from './checks.ts'
import { appendOf } from './stored-messages.ts'
import type { DeclareCase } from './world.ts'

/** Declares the cases. */
export function casesOfTopics(test: DeclareCase): void {
  test('topics are listed as they were created, with partitions of their own', async ({ engine, reader }, first) => {
    const bills = await engine.createTopic('bills', 3)
    equal(bills.name, 'bills')
    equal(new Set([first, ...bills.partitionIds]).size, 4)
    same(await reader.listTopics(), [{ name: 'orders', partitionIds: [first] }, bills])
    same(await engine.listTopics(), await reader.listTopics())
  })

  test('a topic is created once, and is gone once', async ({ engine }) => {
    await refused(() => engine.createTopic('orders', 1), { code: 'TOPIC_EXISTS', details: { name: 'orders' } })
    await engine.deleteTopic('orders')
    await refused(() => engine.deleteTopic('orders'), { code: 'TOPIC_NOT_FOUND', details: { name: 'orders' } })
    same(await engine.listTopics(), [])
  })

  test('names and numbers of partitions have limits', async ({ engine }) => {
    const { nameBytesMax, partitionsMax } = topicLimits
    const refusedOf = (name: string, partitions: number) =>
      refused(() => engine.createTopic(name, partitions), { code: 'BAD_CONFIG' }, [name, partitions])
    await refusedOf('', 1)
    await refusedOf('n'.repeat(nameBytesMax + 1), 1)
    await refusedOf('é'.repeat((nameBytesMax + 1) / 2), 1)
    await refusedOf('\ud800', 1)
    await refusedOf('none', 0)
    await refusedOf('many', partitionsMax + 1)
    await refusedOf('half', 1.5)
    const longest = await engine.createTopic('n'.repeat(nameBytesMax), partitionsMax)
    equal(new Set(longest.partitionIds).size, partitionsMax)
    equal((await engine.listTopics()).length, 2)
  })

  test('partitions of a deleted topic are gone, and their numbers are not used again', async (world, first) => {
    const { engine, reader } = world
    await engine.append(appendOf(first, ['a']))
    await engine.deleteTopic('orders')
    const wanted = { code: 'PARTITION_NOT_FOUND', details: { partitionId: first } } as const
    await refused(() => engine.append(appendOf(first, ['b'])), wanted)
    for (const each of [engine, reader]) {
      await refused(() => each.read(first, 0, plenty), wanted)
      await refused(() => each.highWaterMark(first), wanted)
    }
    const again = await engine.createTopic('orders', 1)
    ok(again.partitionIds[0] !== first)
    equal(await engine.highWaterMark(again.partitionIds[0]!), 0)
    const { batches } = await engine.retain(keepAll)
    ok(batches <= 1)
  })

  test('a partition that never was is refused', async ({ engine, reader }) => {
    for (const partitionId of [4_294_967_295, 0x7fff_ffff]) {
      const wanted = { code: 'PARTITION_NOT_FOUND', details: { partitionId } } as const
      await refused(() => engine.append(appendOf(partitionId, ['a'])), wanted)
      await refused(() => reader.read(partitionId, 0, plenty), wanted)
      await refused(() => reader.highWaterMark(partitionId), wanted)
      await refused(() => reader.whenPast(partitionId, 0, patient), wanted)
    }
  })
}
