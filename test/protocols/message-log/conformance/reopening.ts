/** What is there when a store is opened again: for engines whose store outlives them. */
import { keptAnswersMax } from '../../../../src/protocols/message-log/engine/contract.ts'
import type { EngineTest, EngineWorld } from '../engine-world.ts'
import { appendOf, messageHeadBytes, valuesIn } from '../stored-messages.ts'
import { attempt, keepAll, plenty } from './common.ts'

/** Runs the cases. */
export function runReopening(test: EngineTest): void {
  test('topics, messages and offsets are there when it is opened again', async (t, world, id) => {
    const bills = await world.engine.createTopic('bills', 2)
    await world.engine.createTopic('gone', 2)
    await world.engine.append(appendOf(id, ['a', 'b']))
    await world.engine.append(appendOf(id, ['c'], { acknowledgement: 'flushed' }))
    await world.engine.deleteTopic('gone')
    const again = await world.reopen()
    try {
      t.same(await again.reader.listTopics(), [{ name: 'orders', partitionIds: [id] }, bills])
      t.same(valuesIn(await again.reader.read(id, 1, plenty)), ['1:b', '2:c'])
      t.equal((await again.engine.append(appendOf(id, ['d']))).baseOffset, 3)
      t.equal(await again.reader.highWaterMark(bills.partitionIds[0]!), 0)
      const fresh = await again.engine.createTopic('fresh', 1)
      t.ok(fresh.partitionIds[0]! > bills.partitionIds[1]! + 2)
    } finally {
      await again.close()
    }
  })

  test('a repeat is known over a reopening, with all answers that are kept', async (t, world, id) => {
    const append = (of: EngineWorld, sequence: number) =>
      of.engine.append(appendOf(id, ['a', 'b'], { producer: { id: 2n ** 63n, sequence } }))
    for (let sequence = 0; sequence <= keptAnswersMax; sequence++) await append(world, sequence)
    const again = await world.reopen()
    try {
      t.same(await append(again, 1), { baseOffset: 2, stored: 2 })
      t.same(await append(again, keptAnswersMax), { baseOffset: 2 * keptAnswersMax, stored: 2 })
      await t.rejects(
        attempt(() => append(again, 0)),
        { code: 'STORAGE_FAILED', details: { reason: 'sequenceExpired' } },
      )
      t.equal((await append(again, keptAnswersMax + 1)).baseOffset, 2 * keptAnswersMax + 2)
      t.same(await append(again, 2), { baseOffset: 4, stored: 2 })
    } finally {
      await again.close()
    }
  })

  test('what was removed stays removed over a reopening', async (t, world, id) => {
    await world.engine.append(appendOf(id, ['a']))
    await world.engine.append(appendOf(id, ['b']))
    await world.engine.retain({ ...keepAll, partitionBytesMax: 1 })
    const again = await world.reopen()
    try {
      await t.rejects(
        attempt(() => again.reader.read(id, 0, plenty)),
        { code: 'OFFSET_OUT_OF_RANGE' },
      )
      t.equal((await again.engine.retain({ ...keepAll, partitionBytesMax: messageHeadBytes + 1 })).batches, 0)
      t.equal((await again.engine.append(appendOf(id, ['c']))).baseOffset, 2)
      const removed = await again.engine.retain({ ...keepAll, partitionBytesMax: messageHeadBytes + 1 })
      t.same(removed, { batches: 1, bytes: messageHeadBytes + 1 })
    } finally {
      await again.close()
    }
  })

  test('appends in hand when it closes are committed', async (t, world, id) => {
    const appends = [
      world.engine.append(appendOf(id, ['a'], { acknowledgement: 'received' })),
      world.engine.append(appendOf(id, ['b'])),
    ]
    const again = await world.reopen()
    try {
      t.same(await Promise.all(appends), [
        { baseOffset: 0, stored: 1 },
        { baseOffset: 1, stored: 1 },
      ])
      t.same(valuesIn(await again.reader.read(id, 0, plenty)), ['0:a', '1:b'])
    } finally {
      await again.close()
    }
  })
}
