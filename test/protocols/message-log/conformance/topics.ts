/** Topics and their partitions. */
import { topicLimits } from '../../../../src/protocols/message-log/engine/contract.ts'
import type { EngineTest } from '../engine-world.ts'
import { appendOf } from '../stored-messages.ts'
import { attempt, keepAll, patient, plenty } from './common.ts'

/** Runs the cases. */
export function runTopics(test: EngineTest): void {
  test('topics are listed as they were created, with partitions of their own', async (t, { engine, reader }, first) => {
    const bills = await engine.createTopic('bills', 3)
    t.equal(bills.name, 'bills')
    t.equal(new Set([first, ...bills.partitionIds]).size, 4)
    t.same(await reader.listTopics(), [{ name: 'orders', partitionIds: [first] }, bills])
    t.same(await engine.listTopics(), await reader.listTopics())
  })

  test('a topic is created once, and is gone once', async (t, { engine }) => {
    await t.rejects(
      attempt(() => engine.createTopic('orders', 1)),
      { code: 'TOPIC_EXISTS', details: { name: 'orders' } },
    )
    await engine.deleteTopic('orders')
    await t.rejects(
      attempt(() => engine.deleteTopic('orders')),
      { code: 'TOPIC_NOT_FOUND', details: { name: 'orders' } },
    )
    t.same(await engine.listTopics(), [])
  })

  test('names and numbers of partitions have limits', async (t, { engine }) => {
    const { nameBytesMax, partitionsMax } = topicLimits
    const refusedOf = (name: string, partitions: number) =>
      t.rejects(
        attempt(() => engine.createTopic(name, partitions)),
        { code: 'BAD_CONFIG' },
      )
    await refusedOf('', 1)
    await refusedOf('n'.repeat(nameBytesMax + 1), 1)
    await refusedOf('é'.repeat((nameBytesMax + 1) / 2), 1)
    await refusedOf('none', 0)
    await refusedOf('many', partitionsMax + 1)
    await refusedOf('half', 1.5)
    const longest = await engine.createTopic('n'.repeat(nameBytesMax), partitionsMax)
    t.equal(new Set(longest.partitionIds).size, partitionsMax)
    t.equal((await engine.listTopics()).length, 2)
  })

  test('partitions of a deleted topic are gone, and their numbers are not used again', async (t, world, first) => {
    const { engine, reader } = world
    await engine.append(appendOf(first, ['a']))
    await engine.deleteTopic('orders')
    const refused = { code: 'PARTITION_NOT_FOUND', details: { partitionId: first } }
    await t.rejects(
      attempt(() => engine.append(appendOf(first, ['b']))),
      refused,
    )
    for (const each of [engine, reader]) {
      await t.rejects(
        attempt(() => each.read(first, 0, plenty)),
        refused,
      )
      await t.rejects(
        attempt(() => each.highWaterMark(first)),
        refused,
      )
    }
    const again = await engine.createTopic('orders', 1)
    t.not(again.partitionIds[0], first)
    t.equal(await engine.highWaterMark(again.partitionIds[0]!), 0)
    const { batches } = await engine.retain(keepAll)
    t.ok(batches <= 1)
  })

  test('a partition that never was is refused', async (t, { engine, reader }) => {
    for (const partitionId of [4_294_967_295, 0x7fff_ffff]) {
      const refused = { code: 'PARTITION_NOT_FOUND', details: { partitionId } }
      await t.rejects(
        attempt(() => engine.append(appendOf(partitionId, ['a']))),
        refused,
      )
      await t.rejects(
        attempt(() => reader.read(partitionId, 0, plenty)),
        refused,
      )
      await t.rejects(
        attempt(() => reader.highWaterMark(partitionId)),
        refused,
      )
      await t.rejects(reader.whenPast(partitionId, 0, patient), refused)
    }
  })
}
