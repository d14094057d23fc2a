/** Batches are stored as they came and fetched from any offset, as a list of messages would be. */
import { deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeLogRequest,
  decodeLogResponse,
  encodeLogBatch,
  encodeLogRequest,
  encodeLogResponse,
  readLogBatch,
  readLogEntries,
} from '../../../src/messages/index.ts'
import {
  copyLogBatch,
  entriesBytes,
  firstOfLogBatch,
  type LogBatch,
  logBatchOf,
  type StoredLogBatch,
  sliceLogBatches,
} from '../../../src/messages/log/batch-v1.ts'
import { logMessageBytes } from '../../../src/messages/log/message-v1.ts'
import { logOperation } from '../../../src/messages/log/operations.ts'
import type { ProduceRequest } from '../../../src/messages/log/produce-v1.ts'
import { fetchBytesMax, judgeLogResponseHeader } from '../../../src/messages/log/response.ts'
import { STOP } from '../../../src/messages/wire/frame-decoder.ts'
import { batch as anyBatch } from './arbitraries.ts'
import { plainMessage } from './plain.ts'
import { messages } from './samples.ts'

/** A partition that keeps the bytes of each batch and where they begin, as a store would. */
function store(batches: readonly LogBatch[], from: number): StoredLogBatch[] {
  let next = from
  return batches.map(batch => {
    const baseOffset = next
    next += batch.count
    return { baseOffset, batch: logBatchOf(copyLogBatch(batch).bytes) }
  })
}

t.test('a fetch of any offset and size gives what a list of the messages would', t => {
  const from = fc.integer({ min: 0, max: 2 ** 40 })
  const sizes = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 5_000 }))
  const batches = fc.array(anyBatch, { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(batches, from, fc.nat(), sizes, (produced, base, pick, bytesMax) => {
      const stored = store(produced, base)
      const list = stored.flatMap(({ baseOffset, batch }) =>
        readLogBatch(batch).map((message, at) => ({ offset: baseOffset + at, ...message })),
      )
      const offset = base + (pick % list.length)
      const wanted = []
      let size = 0
      for (const message of list.slice(offset - base)) {
        size += 8 + logMessageBytes(message)
        if (size > bytesMax && wanted.length > 0) break
        wanted.push(plainMessage(message))
      }
      const behind = stored.filter(({ baseOffset, batch }) => baseOffset + batch.count > offset)
      const slices = sliceLogBatches(behind, offset, bytesMax)
      const answer = { partitionId: 1, highWaterMark: base + list.length, slices }
      const bytes = encodeLogResponse(logOperation.fetch, 1, answer)
      const read = decodeLogResponse(logOperation.fetch, bytes)
      if (!read.ok) throw new Error(read.text)
      same(readLogEntries(read.response.entries).map(plainMessage), wanted)
      if (wanted.length > 1 && entriesBytes(slices) - 4 > bytesMax) throw new Error('more than was asked for')
    }),
    { numRuns: 1_000, seed: 31 },
  )
  t.pass()
  t.end()
})

t.test('no more batches are read from the store than go into the answer', t => {
  const [first, second, third] = store(
    [1, 1, 1].map(count => encodeLogBatch(messages.slice(0, count))),
    0,
  )
  const asked: number[] = []
  function* read() {
    for (const batch of [first!, second!, third!]) {
      asked.push(batch.baseOffset)
      yield batch
    }
  }
  const each = 8 + logMessageBytes(messages[0]!)
  t.equal(sliceLogBatches(read(), 0, 2 * each).length, 2)
  t.same(asked, [0, 1])
  t.equal(sliceLogBatches(read(), 0, 2 * each - 1).length, 1)
  t.same(sliceLogBatches([], 0, 100), [])
  t.end()
})

t.test('a batch in a chunk is copied to bytes of its own, which another thread may have', t => {
  const request = { partitionId: 1, acknowledgement: 'committed', batch: encodeLogBatch(messages) } as const
  const chunk = encodeLogRequest(logOperation.produce, 1, request)
  const { batch } = decodeLogRequest(chunk).request as ProduceRequest
  t.equal(batch.bytes.buffer, chunk.buffer, 'a view')
  const copy = copyLogBatch(batch)
  chunk.fill(0)
  t.same(readLogBatch(copy).map(plainMessage), readLogBatch(encodeLogBatch(messages)).map(plainMessage))
  const { byteOffset, byteLength } = copy.bytes
  const buffer = copy.bytes.buffer as ArrayBuffer
  t.same([byteOffset, byteLength], [0, buffer.byteLength])
  const moved = structuredClone(buffer, { transfer: [buffer] })
  t.same(readLogBatch(logBatchOf(Buffer.from(moved))).length, 3)
  t.end()
})

t.test('the first messages of a batch are a batch', t => {
  const whole = encodeLogBatch(messages)
  for (const count of [1, 2, 3]) {
    const first = firstOfLogBatch(whole, count)
    t.same(readLogBatch(first).map(plainMessage), readLogBatch(whole).slice(0, count).map(plainMessage))
    t.same(first.bytes, encodeLogBatch(messages.slice(0, count)).bytes)
  }
  t.end()
})

t.test('the largest message that can be produced can be fetched', t => {
  const lengthMax = 1_000
  const overheadBytes = 12 + 4 + 4 + 4 + 16
  const batch = encodeLogBatch([{ timestampMs: 0, key: null, value: Buffer.alloc(lengthMax - overheadBytes) }])
  const produced = encodeLogRequest(logOperation.produce, 1, { partitionId: 1, acknowledgement: 'committed', batch })
  t.equal(produced.length, lengthMax + 4)
  const fetched = (size: number, bytesMax: number) => {
    const value = Buffer.alloc(size)
    const stored = [0, 1].map(baseOffset => ({
      baseOffset,
      batch: encodeLogBatch([{ timestampMs: 0, key: null, value }]),
    }))
    const slices = sliceLogBatches(stored, 0, bytesMax)
    const bytes = encodeLogResponse(logOperation.fetch, 1, { partitionId: 1, highWaterMark: 2, slices })
    return { slices, verdict: judgeLogResponseHeader(bytes, 0, lengthMax) }
  }
  t.equal(fetchBytesMax(lengthMax), 8 + 16 + lengthMax - overheadBytes)
  t.match(fetched(lengthMax - overheadBytes, fetchBytesMax(lengthMax)), {
    slices: { length: 1 },
    verdict: lengthMax + 4,
  })
  t.equal(fetched(lengthMax - overheadBytes + 1, 0).verdict, STOP)
  const half = fetchBytesMax(lengthMax) / 2 - 24
  t.match(fetched(half, fetchBytesMax(lengthMax)), { slices: { length: 2 }, verdict: lengthMax + 4 })
  t.equal(fetched(half + 1, fetchBytesMax(lengthMax)).slices.length, 1)
  t.end()
})
