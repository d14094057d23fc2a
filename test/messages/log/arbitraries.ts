/** Requests and answers of every operation, for fast-check to choose and to shrink. */
import fc from 'fast-check'
import { acknowledgements, encodeLogBatch } from '../../../src/messages/index.ts'
import type { AnyLogOperation } from '../../../src/messages/log/operation.ts'
import { logOperation } from '../../../src/messages/log/operations.ts'

/** A record as a literal would be. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>

const u32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 0xffff_ffff))
const safe = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER))
const body = fc.option(
  fc.oneof({ weight: 8, arbitrary: fc.uint8Array() }, fc.uint8Array({ minLength: 40, maxLength: 400 })),
)
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })

export const message = record({ timestampMs: fc.maxSafeInteger(), key: body, value: body })
export const batch = fc.array(message, { minLength: 1, maxLength: 8 }).map(encodeLogBatch)

const partitions = fc.array(u32, { maxLength: 5 })
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const requestOf: Readonly<Record<keyof typeof logOperation, fc.Arbitrary<unknown>>> = {
  produce: record({
    partitionId: u32,
    acknowledgement: fc.constantFrom(...acknowledgements),
    producer: optional(record({ producerId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), sequence: u32 })),
    batch,
  }),
  fetch: record({
    partitionId: u32,
    offset: safe,
    maxBytes: u32,
    longPoll: optional(record({ maxWaitMs: u32, minBytes: u32 })),
  }),
  getOffset: record({ partitionId: u32 }),
  createTopic: record({ name, partitions: u32.map(count => Math.max(1, count)) }),
  deleteTopic: record({ name }),
  listTopics: fc.constant({}),
  healthCheck: fc.constant({}),
}

const slice = fc
  .tuple(batch, fc.integer({ min: 0, max: 2 ** 52 }))
  .map(([{ bytes, end, count }, offset]) => ({ bytes, start: 4, end, count, offset }))

const answerOf: Readonly<Record<keyof typeof logOperation, fc.Arbitrary<unknown>>> = {
  produce: record({
    partitionId: u32,
    baseOffset: safe,
    partial: optional(
      record({ stored: u32.map(count => Math.max(1, count)), errorCode: fc.integer({ min: 1, max: 0xffff }) }),
    ),
  }),
  fetch: record({ partitionId: u32, highWaterMark: safe, slices: fc.array(slice, { maxLength: 4 }) }),
  getOffset: record({ highWaterMark: safe }),
  createTopic: record({ partitions }),
  deleteTopic: fc.constant({}),
  listTopics: record({ topics: fc.array(record({ name, partitions }), { maxLength: 5 }) }),
  healthCheck: fc.constant({}),
}

/** An operation with a request, or an answer, of its own. */
export type Sample = readonly [AnyLogOperation, unknown]

function samplesOf(values: typeof requestOf): fc.Arbitrary<Sample> {
  const names = Object.keys(logOperation) as (keyof typeof logOperation)[]
  return fc.oneof(...names.map(name => values[name].map(value => [logOperation[name], value] as const)))
}

export const anyRequest = samplesOf(requestOf)
export const anyAnswer = samplesOf(answerOf)
