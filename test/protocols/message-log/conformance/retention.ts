/** What is out of date is removed. */
import type { EngineTest } from '../engine-world.ts'
import { appendOf, messageHeadBytes, valuesIn } from '../stored-messages.ts'
import { attempt, keepAll, plenty } from './common.ts'

/** Runs the cases. */
export function runRetention(test: EngineTest): void {
  test('retention by age removes the oldest batches, and offsets stay as they are', async (t, world, id) => {
    const { clock, engine, reader } = world
    await engine.append(appendOf(id, ['a', 'b']))
    await clock.advance(1_000)
    await engine.append(appendOf(id, ['c']))
    await clock.advance(1_000)
    await engine.append(appendOf(id, ['d']))
    t.same(await engine.retain({ ...keepAll, ageMs: 2_000 }), { batches: 0, bytes: 0 })
    const removed = await engine.retain({ ...keepAll, ageMs: 1_999 })
    t.same(removed, { batches: 1, bytes: 2 * (messageHeadBytes + 1) })
    for (const offset of [0, 1]) {
      await t.rejects(
        attempt(() => reader.read(id, offset, plenty)),
        {
          code: 'OFFSET_OUT_OF_RANGE',
          details: { firstOffset: 2, highWaterMark: 4 },
        },
      )
    }
    t.same(valuesIn(await reader.read(id, 2, plenty)), ['2:c', '3:d'])
    t.equal((await engine.append(appendOf(id, ['e']))).baseOffset, 4)
  })

  test('retention by size keeps what fits, for each partition', async (t, { engine, reader }, id) => {
    const other = (await engine.createTopic('others', 1)).partitionIds[0]!
    const bytes = messageHeadBytes + 4
    for (const value of ['aaaa', 'bbbb', 'cccc', 'dddd']) await engine.append(appendOf(id, [value]))
    await engine.append(appendOf(other, ['aaaa']))
    const policy = { ...keepAll, partitionBytesMax: 2 * bytes + 1 }
    t.same(await engine.retain(policy), { batches: 2, bytes: 2 * bytes })
    t.same(await engine.retain(policy), { batches: 0, bytes: 0 })
    t.same(valuesIn(await reader.read(id, 2, plenty)), ['2:cccc', '3:dddd'])
    t.same(valuesIn(await reader.read(other, 0, plenty)), ['0:aaaa'])
  })

  test('the newest batch is never removed, so that offsets go on', async (t, { clock, engine, reader }, id) => {
    const policy = { ageMs: 0, partitionBytesMax: 0, producerAgeMs: 0 }
    t.same(await engine.retain(policy), { batches: 0, bytes: 0 })
    await engine.append(appendOf(id, ['a']))
    await engine.append(appendOf(id, ['b', 'c']))
    await clock.advance(10_000)
    t.equal((await engine.retain(policy)).batches, 1)
    t.same(valuesIn(await reader.read(id, 1, plenty)), ['1:b', '2:c'])
    t.equal((await engine.append(appendOf(id, ['d']))).baseOffset, 3)
  })

  test('removing thousands of batches leaves room for appends meanwhile', async (t, { clock, engine, reader }, id) => {
    for (let index = 0; index < 1_500; index++) await engine.append(appendOf(id, [`${index}`]))
    await clock.advance(10)
    const removal = engine.retain({ ...keepAll, ageMs: 5 })
    t.equal((await engine.append(appendOf(id, ['new']))).baseOffset, 1_500)
    const { batches } = await removal
    t.ok(batches >= 1_499)
    t.same(valuesIn(await reader.read(id, 1_500, plenty)), ['1500:new'])
    await t.rejects(
      attempt(() => reader.read(id, 1_498, plenty)),
      { code: 'OFFSET_OUT_OF_RANGE' },
    )
  })

  test('answers of producers are forgotten at their age', async (t, { clock, engine }, id) => {
    const append = (producerId: bigint, sequence: number) =>
      engine.append(appendOf(id, ['a'], { producer: { id: producerId, sequence } }))
    await append(1n, 0)
    await append(2n, 0)
    await clock.advance(600)
    await append(2n, 1)
    await clock.advance(600)
    await engine.retain({ ...keepAll, producerAgeMs: 1_000 })
    t.equal((await append(1n, 0)).baseOffset, 3)
    t.equal((await append(2n, 0)).baseOffset, 1)
  })
}
