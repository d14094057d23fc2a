/** Large rows are read once by those who follow each other, and their memory is given back. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import { decodeLogResponse, encodeLogResponse, logOperation } from '../../../src/messages/index.ts'
import { appendOf, valuesIn } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { LogReader, ReadResult } from '../../../src/protocols/message-log/engine/contract.ts'
import { CachedRow, RowCache } from '../../../src/protocols/message-log/engine/sqlite/row-cache.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { fetchAnswer } from '../../../src/protocols/message-log/serving/fetched.ts'
import { newContext, newFolder } from './sqlite-world.ts'

const partitionId = 3
const rowBytes = 100

function rowOf(id: number): CachedRow {
  const messages = new Uint8Array(new ArrayBuffer(rowBytes)).fill(id)
  return new CachedRow(partitionId, { id, baseOffset: id, count: 1, checksum: id }, messages)
}

const headOf = (id: number) => ({ id, baseOffset: id, count: 1, checksum: id })

t.test('those that were used least lately give way, and their memory is free', async t => {
  const cache = new RowCache(3 * rowBytes)
  const rows = [1, 2, 3].map(rowOf)
  for (const row of rows) {
    cache.keep(row)
    cache.release(row)
  }
  t.equal(cache.hold(partitionId, headOf(1)), rows[0])
  cache.release(rows[0]!)
  cache.keep(rowOf(4))
  t.equal(cache.bytes, 3 * rowBytes)
  t.equal(cache.hold(partitionId, headOf(2)), undefined)
  t.same(
    rows.map(({ messages }) => messages.length),
    [rowBytes, 0, rowBytes],
  )
  cache.clear()
  t.same([cache.bytes, rows[0]!.messages.length, rows[2]!.messages.length], [0, 0, 0])
})

t.test('what somebody holds is there until it is released by all', async t => {
  const cache = new RowCache(rowBytes)
  const row = rowOf(1)
  cache.keep(row)
  t.equal(cache.hold(partitionId, headOf(1)), row)
  cache.keep(rowOf(2))
  cache.release(row)
  t.equal(row.messages.length, rowBytes)
  cache.release(row)
  t.equal(row.messages.length, 0)
  const large = new CachedRow(partitionId, headOf(9), new Uint8Array(new ArrayBuffer(2 * rowBytes)))
  cache.keep(large)
  t.equal(cache.bytes, rowBytes, 'one that is larger than all may be is not kept')
  cache.release(large)
  t.equal(large.messages.length, 0)
})

t.test('a row that has the number of another one is not taken for it', async t => {
  for (const change of [{ baseOffset: 7 }, { count: 2 }, { checksum: 7 }]) {
    const cache = new RowCache(1_000)
    cache.keep(rowOf(1))
    t.equal(cache.hold(partitionId, { ...headOf(1), ...change }), undefined)
    t.equal(cache.bytes, 0)
  }
  const cache = new RowCache(1_000)
  cache.keep(rowOf(1))
  t.equal(cache.hold(partitionId + 1, headOf(1)), undefined)
})

t.test('a hundred seeded lives: nobody loses what he holds, and nothing is kept beyond the bound', async t => {
  let wrong = 0
  for (let seed = 0; seed < 100; seed++) {
    const random = createRandom(seed)
    const cache = new RowCache(5 * rowBytes)
    const held: CachedRow[] = []
    for (let step = 0; step < 200; step++) {
      const id = 1 + Math.floor(random() * 9)
      if (random() < 0.5) {
        const known = cache.hold(partitionId, headOf(id))
        const row = known ?? rowOf(id)
        if (known === undefined) cache.keep(row)
        held.push(row)
      } else {
        for (const row of held.splice(Math.floor(random() * held.length), 1)) cache.release(row)
      }
      if (cache.bytes > 5 * rowBytes || held.some(({ key, messages }) => messages[0] !== key)) wrong++
    }
  }
  t.equal(wrong, 0)
})

const value = 'x'.repeat(20_000)

const begins = (result: ReadResult): string[] => valuesIn(result).map(each => each.slice(0, 3))

async function openStore(t: Test) {
  const path = join(newFolder(t), 'log.db')
  const context = newContext()
  const engine = await sqliteLogEngine.opener.open({ path }, context)
  t.teardown(() => engine.close())
  const { partitionIds } = await engine.createTopic('t', 1)
  const reader = (await sqliteLogEngine.opener.openReader?.({ path }, context)) as LogReader
  t.teardown(() => reader.close())
  return { path, engine, reader, partition: partitionIds[0]! }
}

t.test('a reader answers from memory what is in the store, and nothing that is not', async t => {
  const { engine, reader, partition, path } = await openStore(t)
  for (const name of ['a', 'b', 'c']) await engine.append(appendOf(partition, [`${name}${value}`]))
  const read = (offset: number) => reader.read(partition, offset, 1_000_000) as ReadResult
  const first = read(0)
  t.same(begins(first), ['0:a', '1:b', '2:c'])
  const again = read(1)
  t.equal(again.batches[0]!.messages.buffer, first.batches[1]!.messages.buffer, 'it is read once')
  reader.release?.(first)
  reader.release?.(again)
  t.same(begins(read(2)), ['2:c'])
  await engine.retain({ ageMs: Infinity, partitionBytesMax: 1, producerAgeMs: Infinity })
  t.throws(() => read(0), { code: 'OFFSET_OUT_OF_RANGE' }, 'what was removed is not there')
  t.same(begins(read(2)), ['2:c'])
  const other = new DatabaseSync(path)
  other.exec('UPDATE batches SET checksum = checksum + 1')
  other.close()
  t.throws(() => read(2), { code: 'STORAGE_FAILED', details: { reason: 'corrupt' } }, 'nor is what was changed')
})

t.test('an answer of large messages has the checksum of its bytes, wherever it is cut', async t => {
  const { engine, reader, partition } = await openStore(t)
  const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, index) => name.repeat(3_000 + index * 9_000))
  await engine.append(appendOf(partition, texts.slice(0, 4)))
  await engine.append(appendOf(partition, ['small', ...texts.slice(4)]))
  const wrong: string[] = []
  let known = 0
  for (let offset = 0; offset < 8; offset++) {
    for (const maxBytes of [1, 20_000, 50_000, 100_000, 1_000_000]) {
      const found = reader.read(partition, offset, maxBytes) as ReadResult
      known += found.batches.filter(({ sums }) => sums !== undefined).length
      const frame = encodeLogResponse(logOperation.fetch, 7, fetchAnswer(partition, found))
      const answer = decodeLogResponse(logOperation.fetch, frame)
      if (!answer.ok || answer.response.entries.count === 0) wrong.push(`${offset} ${maxBytes}`)
      reader.release?.(found)
    }
  }
  t.same(wrong, [])
  t.ok(known > 20, `${known} were not summed up again`)
})
