/** What is appended is read back, in its order and at its offset. */

import { offsetBytes } from '../taken-batches.ts'
import { equal, ok, patient, plenty, refused, same } from './checks.ts'
import { appendOf, messageHeadBytes, messageOf, valuesIn } from './stored-messages.ts'
import type { DeclareCase } from './world.ts'

/** Declares the cases. */
export function casesOfMessages(test: DeclareCase): void {
  test('offsets begin at 0 and go on by one a message', async ({ engine, reader }, id) => {
    equal(await reader.highWaterMark(id), 0)
    same(await engine.append(appendOf(id, ['a', 'b'])), { baseOffset: 0, stored: 2 })
    same(await engine.append(appendOf(id, ['c'])), { baseOffset: 2, stored: 1 })
    equal(await reader.highWaterMark(id), 3)
    const found = await reader.read(id, 0, plenty)
    equal(found.highWaterMark, 3)
    same(valuesIn(found), ['0:a', '1:b', '2:c'])
    same(valuesIn(await engine.read(id, 0, plenty)), ['0:a', '1:b', '2:c'])
  })

  test('messages come back byte for byte, with and without key and value', async ({ engine, reader }, id) => {
    const key = Buffer.from([0, 255, 7])
    const head = Buffer.alloc(12)
    head.writeBigInt64BE(-5n, 0)
    head.writeInt32BE(key.length, 8)
    const noValue = Buffer.from([255, 255, 255, 255])
    const messages = Buffer.concat([head, key, noValue, messageOf(''), messageOf('x'.repeat(70_000))])
    const sent = Buffer.from(messages)
    await engine.append({ partitionId: id, count: 3, messages, acknowledgement: 'committed' })
    const { batches } = await reader.read(id, 0, plenty)
    ok(Buffer.concat(batches.map(({ messages }) => messages)).equals(sent))
    const second = await reader.read(id, 1, 1)
    ok(Buffer.from(second.batches[0]!.messages).equals(messageOf('')))
  })

  test('memory that messages came in is not looked at once they are stored', async ({ engine, reader }, id) => {
    const shared = new Uint8Array(new SharedArrayBuffer(messageOf('a').length))
    for (const value of ['a', 'b']) {
      shared.set(messageOf(value))
      await engine.append({ partitionId: id, count: 1, messages: shared, acknowledgement: 'committed' })
    }
    shared.fill(0)
    same(valuesIn(await reader.read(id, 0, plenty)), ['0:a', '1:b'])
  })

  test('a read may begin in the middle of a batch', async ({ engine, reader }, id) => {
    await engine.append(appendOf(id, ['a', 'b', 'c']))
    await engine.append(appendOf(id, ['d', 'e']))
    for (const [offset, values] of [
      [1, ['1:b', '2:c', '3:d', '4:e']],
      [2, ['2:c', '3:d', '4:e']],
      [3, ['3:d', '4:e']],
      [4, ['4:e']],
    ] as const) {
      const found = await reader.read(id, offset, plenty)
      same(valuesIn(found), values)
      equal(found.batches[0]?.baseOffset, offset)
    }
  })

  test('a read at the end is empty, one beyond it is out of range', async ({ engine, reader }, id) => {
    same(await reader.read(id, 0, plenty), { highWaterMark: 0, batches: [] })
    await engine.append(appendOf(id, ['a']))
    same(await reader.read(id, 1, plenty), { highWaterMark: 1, batches: [] })
    for (const offset of [2, Number.MAX_SAFE_INTEGER, 2 ** 64]) {
      await refused(() => reader.read(id, offset, plenty), {
        code: 'OFFSET_OUT_OF_RANGE',
        details: { partitionId: id, offset, firstOffset: 0, highWaterMark: 1 },
      })
    }
  })

  test('a read takes messages up to its bytes, each with its offset, and one at least', async (world, id) => {
    const { engine, reader } = world
    const fetched = messageHeadBytes + 10 + 8
    await engine.append(appendOf(id, ['0123456789', '0123456789', '0123456789']))
    await engine.append(appendOf(id, ['0123456789', 'longer than a read may be', 'x']))
    for (const [maxBytes, messages] of [
      [0, 1],
      [fetched, 1],
      [2 * fetched - 1, 1],
      [2 * fetched, 2],
      [3 * fetched, 3],
      [4 * fetched - 1, 3],
      [4 * fetched, 4],
      [plenty, 6],
    ] as const) {
      const found = await reader.read(id, 0, maxBytes)
      equal(valuesIn(found).length, messages, `${maxBytes} bytes`)
      equal(found.highWaterMark, 6)
    }
    same(valuesIn(await reader.read(id, 4, 1)), ['4:longer than a read may be'])
  })

  test('reading on from the last offset finds every message once, whatever the bytes', async (world, id) => {
    const values = Array.from({ length: 500 }, (_, index) => `${index}-${'v'.repeat((index * 37) % 90)}`)
    for (let at = 0; at < values.length; at += 1 + (at % 23)) {
      await world.engine.append(appendOf(id, values.slice(at, at + 1 + (at % 23))))
    }
    const sent = values.map((value, offset) => `${offset}:${value}`)
    for (const maxBytes of [1, 333, 4_096, plenty]) {
      const found: string[] = []
      while (found.length < sent.length) found.push(...valuesIn(await world.reader.read(id, found.length, maxBytes)))
      same(found, sent)
    }
  })

  test('what is measured is what reads find', async ({ engine, reader }, id) => {
    for (let count = 1; count <= 30; count++) {
      const values = Array.from({ length: count }, (_, index) => 'v'.repeat(index * count * 30))
      await engine.append(appendOf(id, values))
    }
    const highWaterMark = await reader.highWaterMark(id)
    for (let offset = 0; offset <= highWaterMark; offset += 7) {
      const measured = reader.measure?.(id, offset)
      const { batches } = await reader.read(id, offset, 16 * plenty)
      const count = batches.reduce((sum, batch) => sum + batch.count, 0)
      const bytes = batches.reduce((sum, { messages }) => sum + messages.length, count * offsetBytes)
      if (measured !== undefined) same(measured, { highWaterMark, nextOffset: offset + count, bytes })
    }
    for (const [partitionId, offset, code] of [
      [id, highWaterMark + 1, 'OFFSET_OUT_OF_RANGE'],
      [id + 77, 0, 'PARTITION_NOT_FOUND'],
    ] as const) {
      await refused(() => reader.measure?.(partitionId, offset) ?? reader.read(partitionId, offset, 1), { code })
    }
  })

  test('of many small appends a read may give the first, and reading on the rest', async ({ engine, reader }, id) => {
    const count = 600
    for (let offset = 0; offset < count; offset++) await engine.append(appendOf(id, [`${offset}`]))
    const found: string[] = []
    while (found.length < count) {
      const read = await reader.read(id, found.length, plenty)
      equal(read.highWaterMark, count)
      const measured = reader.measure?.(id, found.length)
      found.push(...valuesIn(read))
      if (measured !== undefined) equal(measured.nextOffset, found.length)
    }
    same(
      found,
      Array.from({ length: count }, (_, offset) => `${offset}:${offset}`),
    )
  })

  test('appends made at once are stored in the order of the calls', async ({ engine, reader }, id) => {
    const other = (await engine.createTopic('others', 1)).partitionIds[0]!
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) => engine.append(appendOf(index % 4 === 3 ? other : id, [`${index}`]))),
    )
    same(
      results.filter((_, index) => index % 4 !== 3).map(({ baseOffset }) => baseOffset),
      Array.from({ length: 150 }, (_, index) => index),
    )
    const wanted = Array.from({ length: 200 }, (_, index) => index).filter(index => index % 4 !== 3)
    same(
      valuesIn(await reader.read(id, 0, plenty)),
      wanted.map((index, offset) => `${offset}:${index}`),
    )
    equal(await reader.highWaterMark(other), 50)
  })

  test('a batch of megabytes is whole, and so are those around it', async ({ engine, reader }, id) => {
    const big = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(20_000, '.'))
    await Promise.all([
      engine.append(appendOf(id, ['before'])),
      engine.append(appendOf(id, big)),
      engine.append(appendOf(id, ['after'])),
    ])
    const found = valuesIn(await reader.read(id, 0, 16 * plenty))
    same(
      found,
      ['before', ...big, 'after'].map((value, offset) => `${offset}:${value}`),
    )
    same(valuesIn(await reader.read(id, 301, plenty)), ['301:after'])
    equal(valuesIn(await reader.read(id, 200, 1)).length, 1)
  })

  test('many megabytes at once are stored', async ({ engine, reader }, id) => {
    const value = 'v'.repeat(1_000_000)
    const appends = Array.from({ length: 40 }, (_, index) => engine.append(appendOf(id, [`${index}${value}`])))
    same((await Promise.all(appends)).at(-1), { baseOffset: 39, stored: 1 })
    for (const offset of [0, 17, 39]) same(valuesIn(await reader.read(id, offset, 1)), [`${offset}:${offset}${value}`])
  })

  for (const acknowledgement of ['received', 'committed', 'flushed'] as const) {
    test(`an append that is to be ${acknowledgement} is read back`, async ({ engine, reader }, id) => {
      const results = await Promise.all([
        engine.append(appendOf(id, ['a'], { acknowledgement })),
        engine.append(appendOf(id, ['b', 'c'], { acknowledgement })),
      ])
      same(results, [
        { baseOffset: 0, stored: 1 },
        { baseOffset: 1, stored: 2 },
      ])
      if (acknowledgement === 'received') await reader.whenPast(id, 2, patient)
      same(valuesIn(await reader.read(id, 0, plenty)), ['0:a', '1:b', '2:c'])
    })
  }

  test('a batch without messages is refused', async ({ engine, reader }, id) => {
    const wanted = { code: 'BAD_CONFIG' } as const
    await refused(() => engine.append(appendOf(id, [])), wanted)
    await refused(() => engine.append(appendOf(id, ['a'], { count: 0 })), wanted)
    const producers = [
      { id: -1n, sequence: 0 },
      { id: 2n ** 64n, sequence: 0 },
      { id: 0n, sequence: 2 ** 32 },
    ]
    for (const producer of producers) {
      await refused(() => engine.append(appendOf(id, ['a'], { producer })), wanted, [producer])
    }
    equal(await reader.highWaterMark(id), 0)
  })
}
