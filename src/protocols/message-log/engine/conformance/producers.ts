/** Repeats store nothing. */
import { keptAnswersMax } from '../contract.ts'
import { equal, plenty, refused, same } from './checks.ts'
import { appendOf, valuesIn } from './stored-messages.ts'
import type { DeclareCase } from './world.ts'

/** Declares the cases. */
export function casesOfProducers(test: DeclareCase): void {
  test('a repeat is answered as the first was, and stores nothing', async ({ engine, reader }, id) => {
    const producer = { id: 2n ** 64n - 1n, sequence: 0 }
    await engine.append(appendOf(id, ['before']))
    const first = await engine.append(appendOf(id, ['a', 'b'], { producer }))
    same(first, { baseOffset: 1, stored: 2 })
    await engine.append(appendOf(id, ['c']))
    for (const acknowledgement of ['received', 'committed', 'flushed'] as const) {
      same(await engine.append(appendOf(id, ['a', 'b'], { producer, acknowledgement })), first)
    }
    same(valuesIn(await reader.read(id, 0, plenty)), ['0:before', '1:a', '2:b', '3:c'])
  })

  test('a repeat of an append in hand waits for it and gets its answer', async ({ engine, reader }, id) => {
    for (const [round, acknowledgement] of (['received', 'committed', 'flushed'] as const).entries()) {
      const append = appendOf(id, ['a', 'b'], { producer: { id: 5n, sequence: round }, acknowledgement })
      const first = engine.append(append)
      const repeats = (['committed', 'flushed'] as const).map(async acknowledgement => {
        const answer = await engine.append({ ...append, acknowledgement })
        equal(await reader.highWaterMark(id), 2 * round + 2, 'committed when it is answered')
        return answer
      })
      same(await Promise.all([first, ...repeats]), Array(3).fill({ baseOffset: 2 * round, stored: 2 }))
      equal(await reader.highWaterMark(id), 2 * round + 2)
    }
  })

  test('producers and partitions have sequences of their own', async ({ engine }, id) => {
    const other = (await engine.createTopic('others', 1)).partitionIds[0]!
    const append = (partitionId: number, producerId: bigint, sequence: number) =>
      engine.append(appendOf(partitionId, ['a'], { producer: { id: producerId, sequence } }))
    equal((await append(id, 1n, 0)).baseOffset, 0)
    equal((await append(id, 2n, 0)).baseOffset, 1)
    equal((await append(id, 1n, 1)).baseOffset, 2)
    equal((await append(other, 1n, 0)).baseOffset, 0)
    equal((await append(other, 1n, 1)).baseOffset, 1)
    equal((await append(id, 2n, 0)).baseOffset, 1)
    equal(await engine.highWaterMark(id), 3)
  })

  test('sequences may overtake each other', async ({ engine }, id) => {
    const append = (sequence: number) => engine.append(appendOf(id, ['a'], { producer: { id: 1n, sequence } }))
    const order = [3, 0, 4_294_967_295, 2, 1]
    for (const [offset, sequence] of order.entries()) equal((await append(sequence)).baseOffset, offset)
    for (const [offset, sequence] of order.entries()) equal((await append(sequence)).baseOffset, offset)
    equal(await engine.highWaterMark(id), order.length)
  })

  test('the last answers of a producer are kept, and older repeats are refused', async ({ engine }, id) => {
    const append = (sequence: number) => engine.append(appendOf(id, ['a'], { producer: { id: 1n, sequence } }))
    for (let sequence = 0; sequence <= keptAnswersMax; sequence++) await append(sequence)
    await refused(() => append(0), {
      code: 'STORAGE_FAILED',
      handled: 'unknown',
      details: { reason: 'sequenceExpired' },
    })
    for (const sequence of [1, 2, keptAnswersMax]) equal((await append(sequence)).baseOffset, sequence)
    equal(await engine.highWaterMark(id), keptAnswersMax + 1)
  })
}
