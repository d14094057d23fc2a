/** What was encoded is decoded to the same, whatever it is and wherever in a buffer it lies. */
import { deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { decodeLogRequest, encodeLogRequest, encodeLogResponse, readLogBatch } from '../../../src/messages/index.ts'
import type { LogSlice } from '../../../src/messages/log/batch-v1.ts'
import { logOperation, logOperationsV1 } from '../../../src/messages/log/operations.ts'
import {
  judgeLogRequestHeader,
  LogRequestDecoder,
  logRequestBytes,
  writeLogRequest,
} from '../../../src/messages/log/request.ts'
import {
  judgeLogResponseHeader,
  logAnswerBytes,
  logErrorBytes,
  readLogResponse,
  readLogResponseId,
  writeLogAnswer,
  writeLogError,
} from '../../../src/messages/log/response.ts'
import { anyAnswer, anyRequest } from './arbitraries.ts'
import { plain, plainMessage } from './plain.ts'

const limit = 2 ** 24
const place = fc.nat({ max: 9 })
const id = fc.maxSafeNat()
const options = { numRuns: 600, seed: 11 }

/** A buffer with `size` bytes to be written at `at`, and a check that nothing else was. */
function room(size: number, at: number): { target: Buffer; isClean: () => boolean } {
  const target = Buffer.alloc(at + size + 5, 0xee)
  return {
    target,
    isClean: () => [...target.subarray(0, at), ...target.subarray(at + size)].every(byte => byte === 0xee),
  }
}

t.test('requests', t => {
  const decoder = new LogRequestDecoder(logOperationsV1)
  fc.assert(
    fc.property(anyRequest, place, id, ([operation, request], at, requestId) => {
      const size = logRequestBytes(operation, request)
      const { target, isClean } = room(size, at)
      writeLogRequest(target, at, size, operation, requestId, request)
      if (!isClean()) throw new Error('written beside its place')
      const encoded = encodeLogRequest(operation, requestId, request)
      if (!encoded.equals(target.subarray(at, at + size))) throw new Error('encoded and written differ')
      if (decodeLogRequest(encoded).requestId !== requestId) throw new Error('another id')
      const fault = decoder.decode(target, at, judgeLogRequestHeader(target, at, limit))
      if (fault !== undefined) throw new Error(fault.text)
      if (decoder.operation !== operation) throw new Error(`read as ${decoder.operation.name}`)
      same(plain(decoder.request), plain(request))
    }),
    options,
  )
  t.pass()
  t.end()
})

t.test('answers, with the id of the request as it came', t => {
  const anyId = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  fc.assert(
    fc.property(anyAnswer, place, anyId, ([operation, answer], at, requestId) => {
      const header = Buffer.alloc(at + 16, 0xaa)
      header.writeBigUInt64BE(requestId, at + 4)
      const size = logAnswerBytes(operation, answer)
      const { target, isClean } = room(size, at)
      writeLogAnswer(target, at, size, operation, header, at, answer)
      if (!isClean()) throw new Error('written beside its place')
      if (target.readBigUInt64BE(at + 4) !== requestId) throw new Error('another id')
      if (requestId <= Number.MAX_SAFE_INTEGER) {
        const encoded = encodeLogResponse(operation, Number(requestId), answer)
        if (!encoded.equals(target.subarray(at, at + size))) throw new Error('encoded and written differ')
      }
      const read = readLogResponse(operation, target, at, judgeLogResponseHeader(target, at, limit))
      if (!read.ok) throw new Error(read.text)
      same(plain(read.response), operation === logOperation.fetch ? plainFetch(answer) : plain(answer))
    }),
    options,
  )
  t.pass()
  t.end()
})

t.test('errors', t => {
  const code = fc.integer({ min: 1, max: 0xffff })
  fc.assert(
    fc.property(code, fc.string({ unit: 'binary' }), place, id, (errorCode, text, at, requestId) => {
      const header = encodeLogRequest(logOperation.healthCheck, requestId, {})
      const size = logErrorBytes(text)
      const { target, isClean } = room(size, at)
      writeLogError(target, at, size, header, 0, errorCode, text)
      if (!isClean() || readLogResponseId(target, at) !== requestId) throw new Error('beside its place, or another id')
      same(readLogResponse(logOperation.fetch, target, at, size - 15), { ok: false, errorCode, text })
    }),
    { numRuns: 200, seed: 12 },
  )
  t.pass()
  t.end()
})

/** What a client is to read of a Fetch answer. */
function plainFetch(answer: unknown): unknown {
  const { slices, ...rest } = answer as { readonly slices: readonly LogSlice[] }
  const entries = slices.flatMap(({ bytes, end, count, offset }) => {
    return readLogBatch({ bytes, start: 0, end, count }).map((message, at) =>
      plainMessage({ offset: offset + at, ...message }),
    )
  })
  return { ...rest, entries }
}
