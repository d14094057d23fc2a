/** What is out of date is removed. */

import { equal, keepAll, ok, plenty, refused, same } from './checks.ts'
import { appendOf, messageHeadBytes, valuesIn } from './stored-messages.ts'
import type { DeclareCase } from './world.ts'

/** Declares the cases. */
export function casesOfRetention(test: DeclareCase): void {
  test('retention by age removes the oldest batches, and offsets stay as they are', async (world, id) => {
    const { clock, engine, reader } = world
    await engine.append(appendOf(id, ['a', 'b']))
    await clock.advance(1_000)
    await engine.append(appendOf(id, ['c']))
    await clock.advance(1_000)
    await engine.append(appendOf(id, ['d']))
    same(await engine.retain({ ...keepAll, ageMs: 2_000 }), { batches: 0, bytes: 0 })
    const removed = await engine.retain({ ...keepAll, ageMs: 1_999 })
    same(removed, { batches: 1, bytes: 2 * (messageHeadBytes + 1) })
    for (const offset of [0, 1]) {
      await refused(() => reader.read(id, offset, plenty), {
        code: 'OFFSET_OUT_OF_RANGE',
        details: { firstOffset: 2, highWaterMark: 4 },
      })
    }
    same(valuesIn(await reader.read(id, 2, plenty)), ['2:c', '3:d'])
    equal((await engine.append(appendOf(id, ['e']))).baseOffset, 4)
  })

  test('retention by size keeps what fits, for each partition', async ({ engine, reader }, id) => {
    const other = (await engine.createTopic('others', 1)).partitionIds[0]!
    const bytes = messageHeadBytes + 4
    for (const value of ['aaaa', 'bbbb', 'cccc', 'dddd']) await engine.append(appendOf(id, [value]))
    await engine.append(appendOf(other, ['aaaa']))
    const policy = { ...keepAll, partitionBytesMax: 2 * bytes + 1 }
    same(await engine.retain(policy), { batches: 2, bytes: 2 * bytes })
    same(await engine.retain(policy), { batches: 0, bytes: 0 })
    same(valuesIn(await reader.read(id, 2, plenty)), ['2:cccc', '3:dddd'])
    same(valuesIn(await reader.read(other, 0, plenty)), ['0:aaaa'])
  })

  test('the newest batch is never removed, so that offsets go on', async ({ clock, engine, reader }, id) => {
    const policy = { ageMs: 0, partitionBytesMax: 0, producerAgeMs: 0 }
    same(await engine.retain(policy), { batches: 0, bytes: 0 })
    await engine.append(appendOf(id, ['a']))
    await engine.append(appendOf(id, ['b', 'c']))
    await clock.advance(10_000)
    equal((await engine.retain(policy)).batches, 1)
    same(valuesIn(await reader.read(id, 1, plenty)), ['1:b', '2:c'])
    equal((await engine.append(appendOf(id, ['d']))).baseOffset, 3)
  })

  test('removing thousands of batches leaves room for appends meanwhile', async ({ clock, engine, reader }, id) => {
    for (let index = 0; index < 1_500; index++) await engine.append(appendOf(id, [`${index}`]))
    await clock.advance(10)
    const removal = engine.retain({ ...keepAll, ageMs: 5 })
    equal((await engine.append(appendOf(id, ['new']))).baseOffset, 1_500)
    const { batches } = await removal
    ok(batches >= 1_499)
    same(valuesIn(await reader.read(id, 1_500, plenty)), ['1500:new'])
    await refused(() => reader.read(id, 1_498, plenty), { code: 'OFFSET_OUT_OF_RANGE' })
  })

  test('answers of producers are forgotten at their age', async ({ clock, engine }, id) => {
    const append = (producerId: bigint, sequence: number) =>
      engine.append(appendOf(id, ['a'], { producer: { id: producerId, sequence } }))
    await append(1n, 0)
    await append(2n, 0)
    await clock.advance(600)
    await append(2n, 1)
    await clock.advance(600)
    await engine.retain({ ...keepAll, producerAgeMs: 1_000 })
    equal((await append(1n, 0)).baseOffset, 3)
    equal((await append(2n, 0)).baseOffset, 1)
  })
}
