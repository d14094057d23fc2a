/** Nanoseconds to encode and decode what the log protocol carries. Alone: `node bench/log/codec.ts`. */
import { crc32 as zlibCrc32 } from 'node:zlib'
import {
  encodeLogBatch,
  type LogBatch,
  logBatchOf,
  readLogBatch,
  sliceLogBatches,
} from '../../src/messages/log/batch-v1.ts'
import type { LogQuestion } from '../../src/messages/log/operation.ts'
import { logOperation, logOperationsV1 } from '../../src/messages/log/operations.ts'
import {
  type ProduceMessagesRequest,
  type ProduceRequest,
  produceMessagesV1,
} from '../../src/messages/log/produce-v1.ts'
import {
  judgeLogRequestHeader,
  LogRequestDecoder,
  logRequestBytes,
  writeLogRequest,
} from '../../src/messages/log/request.ts'
import {
  judgeLogResponseHeader,
  logAnswerBytes,
  readLogResponse,
  writeLogAnswer,
} from '../../src/messages/log/response.ts'
import { crc32 } from '../../src/messages/wire/crc32.ts'
import { type Measured, measure, report } from '../kernel/measure.ts'

const lengthMax = 16_777_216
const { produce, fetch, healthCheck } = logOperation
const value = Buffer.alloc(100, 'x')
const messages = [{ timestampMs: 1_700_000_000_000, key: null, value }]
const target = Buffer.alloc(65_536)
const decoder = new LogRequestDecoder(logOperationsV1)
let sum = 0

const requestOf = (batch: LogBatch): ProduceRequest => ({ partitionId: 7, acknowledgement: 'committed', batch })
const batch = encodeLogBatch(messages)
const request = requestOf(batch)
const unbatched = (): ProduceMessagesRequest => ({ partitionId: 7, acknowledgement: 'committed', messages })
const sequenced: ProduceRequest = { ...request, producer: { producerId: 0xfedcba9876543210n, sequence: 5 } }

/** Writes a request again and again, at changing places. */
function encodes<R>(name: string, count: number, question: LogQuestion<R, unknown>, next: () => R): Measured {
  return measure(name, count, times => {
    for (let at = 0; at < times; at++) {
      const produced = next()
      const size = logRequestBytes(question, produced)
      writeLogRequest(target, at & 1_023, size, question, at, produced)
    }
  })
}

/** Frames of a request that lie one behind the other, as in a chunk. */
function chunkOf(produced: ProduceRequest): { chunk: Buffer; size: number; frames: number } {
  const size = logRequestBytes(produce, produced)
  const frames = 256
  const chunk = Buffer.alloc(size * frames)
  for (let at = 0; at < frames; at++) writeLogRequest(chunk, at * size, size, produce, at, produced)
  return { chunk, size, frames }
}

/** Reads the frames of a chunk, and of each what `take` wants. */
function decodes(
  name: string,
  count: number,
  produced: ProduceRequest,
  take: (request: ProduceRequest) => void,
): Measured {
  const { chunk, size, frames } = chunkOf(produced)
  return measure(name, count, times => {
    for (let done = 0; done < times; done++) {
      const at = (done % frames) * size
      if (decoder.decode(chunk, at, judgeLogRequestHeader(chunk, at, lengthMax)) !== undefined)
        throw new Error('refused')
      take(decoder.request as ProduceRequest)
    }
  })
}

function health(count: number): Measured {
  const size = logRequestBytes(healthCheck, {})
  const answerSize = logAnswerBytes(healthCheck, {})
  return measure('HealthCheck: request and answer, there and back', count, times => {
    for (let at = 0; at < times; at++) {
      writeLogRequest(target, 0, size, healthCheck, at, {})
      if (decoder.decode(target, 0, judgeLogRequestHeader(target, 0, lengthMax)) !== undefined)
        throw new Error('refused')
      writeLogAnswer(target, 64, answerSize, healthCheck, target, 0, {})
      const bodyBytes = judgeLogResponseHeader(target, 64, lengthMax)
      if (!readLogResponse(healthCheck, target, 64, bodyBytes).ok) throw new Error('an error')
    }
  })
}

/** Joins stored batches of 100 messages of 100 B to answers of 400 messages; per message. */
function join(count: number): Measured {
  const stored = Array.from({ length: 4 }, (_, at) => ({
    baseOffset: at * 100,
    batch: logBatchOf(encodeLogBatch(Array.from({ length: 100 }, () => messages[0]!)).bytes),
  }))
  return measure('Fetch: a stored message into the answer, of 400', count, times => {
    for (let done = 0; done < times; done += 400) {
      const answer = { partitionId: 7, highWaterMark: 400, slices: sliceLogBatches(stored, 0, 60_000) }
      writeLogAnswer(target, 0, logAnswerBytes(fetch, answer), fetch, target, 0, answer)
    }
  })
}

function sums(bytes: number, count: number): Measured[] {
  return [
    measure(`CRC-32 of ${bytes} B`, count, times => {
      for (let at = 0; at < times; at++) sum ^= crc32(target, at & 255, (at & 255) + bytes)
    }),
    measure(`the same by zlib`, count, times => {
      for (let at = 0; at < times; at++) sum ^= zlibCrc32(target.subarray(at & 255, (at & 255) + bytes))
    }),
  ]
}

const results: Measured[] = []
for (let round = 0; round < 2; round++) {
  results.length = 0
  results.push(
    encodes('encode a Produce of a batch of 100 B', 1_000_000, produce, () => request),
    encodes('encode, with producer and sequence', 1_000_000, produce, () => sequenced),
    encodes('encode, from the message on', 1_000_000, produceMessagesV1, unbatched),
    decodes('decode a Produce of 100 B', 1_000_000, request, () => {}),
    decodes('decode, with producer and sequence', 1_000_000, sequenced, () => {}),
    decodes('decode, to the message', 1_000_000, request, taken => {
      sum += readLogBatch(taken.batch)[0]!.value!.length
    }),
    health(1_000_000),
    join(2_000_000),
    ...sums(20, 2_000_000),
    ...sums(140, 1_000_000),
    ...sums(447, 500_000),
    ...sums(448, 500_000),
    ...sums(1_024, 500_000),
  )
}

if (sum === 0.5) throw new Error('unreachable')
report(results)
