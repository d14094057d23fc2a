/**
 * Bytes and values that nobody in his right mind would send. The grammar leaves one way to write a thing, so whatever is
 * taken must encode to the same bytes again; whatever is not must be refused in words.
 */
import { deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeLogRequest,
  decodeLogResponse,
  encodeLogRequest,
  encodeLogResponse,
  isStarfishError,
  readLogBatch,
} from '../../../src/messages/index.ts'
import { encodeLogBatch, type LogEntries, type LogSlice } from '../../../src/messages/log/batch-v1.ts'
import { sealLogFrame } from '../../../src/messages/log/frame.ts'
import { endOfLogMessage } from '../../../src/messages/log/message-v1.ts'
import type { AnyLogOperation } from '../../../src/messages/log/operation.ts'
import { logOperation, logOperationsV1 } from '../../../src/messages/log/operations.ts'
import { LogRequestDecoder } from '../../../src/messages/log/request.ts'
import { anyAnswer, anyRequest } from './arbitraries.ts'
import { plain } from './plain.ts'

/** Overwrites, takes out or puts in bytes; `at` is a fraction of the length. */
interface Edit {
  readonly at: number
  /** Undefined: as many as are put in. */
  readonly removed: number | undefined
  readonly inserted: Uint8Array
}

const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.option(fc.nat({ max: 6 }), { nil: undefined, freq: 1 }),
    inserted: fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.constantFrom(...lies())),
  }),
  { minLength: 1, maxLength: 3 },
)

/** Counts and lengths at the limits of their types. */
function lies(): Uint8Array[] {
  return ['ffffffff', '7fffffff', '80000000', '00000000', '00000001', 'fffffffe', 'ffff'].map(hex =>
    Buffer.from(hex, 'hex'),
  )
}

/** The frame with its payload spoiled behind `headerBytes`, its length and checksum true again. */
function spoil(frame: Buffer, keptBytes: number, changes: readonly Edit[]): Buffer {
  let inner = frame.subarray(keptBytes, -4)
  for (const { at, removed, inserted } of changes) {
    const from = Math.floor(at * inner.length)
    inner = Buffer.concat([inner.subarray(0, from), inserted, inner.subarray(from + (removed ?? inserted.length))])
  }
  const spoiled = Buffer.concat([frame.subarray(0, keptBytes), inner, Buffer.alloc(4)])
  spoiled.writeUInt32BE(spoiled.length - 4)
  sealLogFrame(spoiled, 0, spoiled.length)
  return spoiled
}

/** What `decode` makes of it; undefined when it refuses it as it should. */
function taken<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (!isStarfishError(error, 'BAD_FRAME') || error.message.length < 20) throw error
    return undefined
  }
}

t.test('requests with spoiled flags and payloads are taken for what they say, or refused', t => {
  let count = 0
  const decoder = new LogRequestDecoder(logOperationsV1)
  fc.assert(
    fc.property(anyRequest, edits, fc.constantFrom(12, 14, 16, 16, 16), ([operation, request], changes, from) => {
      const bytes = spoil(encodeLogRequest(operation, 1, request), from, changes)
      const decoded = taken(() => decodeLogRequest(bytes))
      if (
        bytes.length >= 20 &&
        (decoder.decode(bytes, 0, bytes.length - 16) === undefined) !== (decoded !== undefined)
      ) {
        throw new Error('the decoder in place thinks otherwise')
      }
      if (decoded === undefined) return
      if (decoded.operation === logOperation.fetch && offsetOf(decoded.request) > Number.MAX_SAFE_INTEGER) return
      count++
      const again = encodeLogRequest(decoded.operation, decoded.requestId, decoded.request)
      if (!again.equals(bytes)) throw new Error(`${bytes.toString('hex')} is written ${again.toString('hex')}`)
    }),
    { numRuns: 4_000, seed: 21 },
  )
  t.ok(count > 200, `${count} were taken`)
  t.end()
})

function offsetOf(request: unknown): number {
  return (request as { readonly offset: number }).offset
}

t.test('responses with spoiled statuses and payloads are taken for what they say, or refused', t => {
  let count = 0
  fc.assert(
    fc.property(anyAnswer, edits, fc.constantFrom(12, 15, 15, 15), ([operation, answer], changes, from) => {
      const bytes = spoil(encodeLogResponse(operation, 1, answer), from, changes)
      const decoded = taken(() => decodeLogResponse(operation, bytes))
      if (decoded === undefined || !decoded.ok) return
      count++
      const again = encodeLogResponse(operation, decoded.requestId, answerOf(operation, decoded.response))
      if (!again.equals(bytes)) throw new Error(`${bytes.toString('hex')} is written ${again.toString('hex')}`)
    }),
    { numRuns: 4_000, seed: 22 },
  )
  t.ok(count > 200, `${count} were taken`)
  t.end()
})

/** What a server would have to answer for a client to read `response`. */
function answerOf(operation: AnyLogOperation, response: unknown): unknown {
  if (operation !== logOperation.fetch) return response
  const { entries, ...rest } = response as { readonly entries: LogEntries }
  const { bytes, start, count } = entries
  const slices: LogSlice[] = []
  for (let left = count, at = start + 4; left > 0; left--) {
    const end = endOfLogMessage(bytes, at + 8)
    slices.push({ bytes, start: at + 8, end, count: 1, offset: Number(bytes.readBigUInt64BE(at)) })
    at = end
  }
  return { ...rest, slices }
}

t.test('any bytes at all are taken for what they say, or refused', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 9 }), (content, type) => {
      const request = spoil(Buffer.concat([Buffer.alloc(12), Buffer.from([type, 1]), content, Buffer.alloc(4)]), 4, [])
      taken(() => decodeLogRequest(content))
      taken(() => decodeLogRequest(request))
      for (const operation of logOperationsV1) {
        taken(() => decodeLogResponse(operation, content))
        taken(() => decodeLogResponse(operation, request))
      }
    }),
    { numRuns: 1_000, seed: 23 },
  )
  t.pass()
  t.end()
})

t.test('values that fit no field are refused by name, all others come back as they were', t => {
  const oddNumber = fc.constantFrom(-1, 0.5, Number.NaN, Infinity, 2 ** 16, 2 ** 32, 2 ** 53, 2 ** 64, -(2 ** 53))
  const odd = fc.oneof(
    fc.record({ number: oddNumber }),
    fc.record({ big: fc.constantFrom(-1n, 2n ** 64n) }),
    fc.constant({}),
  )
  let refused = 0
  fc.assert(
    fc.property(anyRequest, odd, fc.nat({ max: 9 }), ([operation, request], wrong, which) => {
      const value = spoilValue(request, wrong, which)
      const bytes = taken(() => encodeLogRequest(operation, 1, value))
      if (bytes === undefined) refused++
      else same(plain(decodeLogRequest(bytes).request), plain(value))
    }),
    { numRuns: 3_000, seed: 24 },
  )
  t.ok(refused > 300, `${refused} were refused`)
  fc.assert(
    fc.property(oddNumber, timestampMs => {
      const batch = taken(() => encodeLogBatch([{ timestampMs, key: null, value: null }]))
      if (batch !== undefined) same(readLogBatch(batch)[0]?.timestampMs, timestampMs)
    }),
    { numRuns: 100, seed: 25 },
  )
  t.end()
})

/** Puts the wrong number in the place of one that is in the value, or in a part of it. */
function spoilValue(value: unknown, wrong: { number?: number; big?: bigint }, which: number): unknown {
  let seen = 0
  const walk = (part: unknown): unknown => {
    if (typeof part === 'number' && wrong.number !== undefined) return seen++ === which % 3 ? wrong.number : part
    if (typeof part === 'bigint' && wrong.big !== undefined) return wrong.big
    if (part === null || typeof part !== 'object' || 'bytes' in part) return part
    return Object.fromEntries(Object.entries(part).map(([name, field]) => [name, walk(field)]))
  }
  return walk(value)
}
