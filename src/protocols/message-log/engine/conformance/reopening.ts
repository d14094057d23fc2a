/** What is there when a store is opened again: for engines whose store outlives them. */
import { keptAnswersMax } from '../contract.ts'
import { equal, keepAll, ok, plenty, refused, same } from './checks.ts'
import { appendOf, messageHeadBytes, valuesIn } from './stored-messages.ts'
import type { DeclareCase, OpenedLog } from './world.ts'

/** Declares the cases. */
export function casesOfReopening(test: DeclareCase): void {
  test('topics, messages and offsets are there when it is opened again', async (world, id) => {
    const bills = await world.engine.createTopic('bills', 2)
    const gone = await world.engine.createTopic('gone', 2)
    await world.engine.append(appendOf(id, ['a', 'b']))
    await world.engine.append(appendOf(id, ['c'], { acknowledgement: 'flushed' }))
    await world.engine.deleteTopic('gone')
    const again = await world.reopen()
    try {
      same(await again.reader.listTopics(), [{ name: 'orders', partitionIds: [id] }, bills])
      same(valuesIn(await again.reader.read(id, 1, plenty)), ['1:b', '2:c'])
      equal((await again.engine.append(appendOf(id, ['d']))).baseOffset, 3)
      equal(await again.reader.highWaterMark(bills.partitionIds[0]!), 0)
      const fresh = await again.engine.createTopic('fresh', 1)
      const used = [id, ...bills.partitionIds, ...gone.partitionIds]
      ok(!used.includes(fresh.partitionIds[0]!))
    } finally {
      await again.close()
    }
  })

  test('a repeat is known over a reopening, with all answers that are kept', async (world, id) => {
    const append = (of: OpenedLog, sequence: number) =>
      of.engine.append(appendOf(id, ['a', 'b'], { producer: { id: 2n ** 63n, sequence } }))
    for (let sequence = 0; sequence <= keptAnswersMax; sequence++) await append(world, sequence)
    const again = await world.reopen()
    try {
      same(await append(again, 1), { baseOffset: 2, stored: 2 })
      same(await append(again, keptAnswersMax), { baseOffset: 2 * keptAnswersMax, stored: 2 })
      await refused(() => append(again, 0), { code: 'STORAGE_FAILED', details: { reason: 'sequenceExpired' } })
      equal((await append(again, keptAnswersMax + 1)).baseOffset, 2 * keptAnswersMax + 2)
      same(await append(again, 2), { baseOffset: 4, stored: 2 })
    } finally {
      await again.close()
    }
  })

  test('what was removed stays removed over a reopening', async (world, id) => {
    await world.engine.append(appendOf(id, ['a']))
    await world.engine.append(appendOf(id, ['b']))
    await world.engine.retain({ ...keepAll, partitionBytesMax: 1 })
    const again = await world.reopen()
    try {
      await refused(() => again.reader.read(id, 0, plenty), { code: 'OFFSET_OUT_OF_RANGE' })
      equal((await again.engine.retain({ ...keepAll, partitionBytesMax: messageHeadBytes + 1 })).batches, 0)
      equal((await again.engine.append(appendOf(id, ['c']))).baseOffset, 2)
      const removed = await again.engine.retain({ ...keepAll, partitionBytesMax: messageHeadBytes + 1 })
      same(removed, { batches: 1, bytes: messageHeadBytes + 1 })
    } finally {
      await again.close()
    }
  })

  test('appends in hand when it closes are committed', async (world, id) => {
    const appends = [
      world.engine.append(appendOf(id, ['a'], { acknowledgement: 'received' })),
      world.engine.append(appendOf(id, ['b'])),
    ]
    const again = await world.reopen()
    try {
      same(await Promise.all(appends), [
        { baseOffset: 0, stored: 1 },
        { baseOffset: 1, stored: 1 },
      ])
      same(valuesIn(await again.reader.read(id, 0, plenty)), ['0:a', '1:b'])
    } finally {
      await again.close()
    }
  })
}
