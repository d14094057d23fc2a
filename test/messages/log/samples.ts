/** A request and a response of every operation, in every form, with the bytes that they are on the wire. */
import { encodeLogBatch, type LogMessage } from '../../../src/messages/index.ts'
import type { LogSlice } from '../../../src/messages/log/batch-v1.ts'
import { logError } from '../../../src/messages/log/codes.ts'
import type { AnyLogOperation } from '../../../src/messages/log/operation.ts'
import { logOperation } from '../../../src/messages/log/operations.ts'

/** The id that all of them have. */
export const requestId = 0x0001020304050607

export const messages: readonly LogMessage[] = [
  { timestampMs: 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.from('value') },
  { timestampMs: -1, key: null, value: Buffer.alloc(0) },
  { timestampMs: 0, key: Buffer.alloc(0), value: null },
]

/** The messages of a stored batch from `skip` on, which lies at offset 41. */
function sliceFrom(skip: number): LogSlice {
  const { bytes, end } = encodeLogBatch(messages.slice(skip))
  return { bytes, start: 4, end, count: messages.length - skip, offset: 41 + skip }
}

interface Sample {
  readonly name: string
  readonly operation: AnyLogOperation
  /** Of a request or an answer. */
  readonly value: unknown
  readonly hex: string
}

const { produce, fetch, getOffset, createTopic, deleteTopic, listTopics, healthCheck } = logOperation

export const requests: readonly Sample[] = [
  {
    name: 'Produce',
    operation: produce,
    value: { partitionId: 7, acknowledgement: 'committed', producer: undefined, batch: encodeLogBatch(messages) },
    hex: '0000004e00010203040506070101000000000007000000030000018bcfe56800000000016b0000000576616c7565ffffffffffffffffffffffff00000000000000000000000000000000ffffffff71e4860d',
  },
  {
    name: 'Produce of a producer with a sequence, flushed',
    operation: produce,
    value: {
      partitionId: 7,
      acknowledgement: 'flushed',
      producer: { producerId: 0xfedcba9876543210n, sequence: 5 },
      batch: encodeLogBatch(messages.slice(1, 2)),
    },
    hex: '00000034000102030405060701010006fedcba9876543210000000050000000700000001ffffffffffffffffffffffff00000000a130ca1e',
  },
  {
    name: 'Fetch',
    operation: fetch,
    value: { partitionId: 7, offset: 0x1000000002, maxBytes: 65_536 },
    hex: '0000002000010203040506070201000000000007000000100000000200010000df632df1',
  },
  {
    name: 'Fetch that waits',
    operation: fetch,
    value: { partitionId: 7, offset: 0x1000000002, maxBytes: 65_536, longPoll: { maxWaitMs: 500, minBytes: 1 } },
    hex: '0000002800010203040506070201000800000007000000100000000200010000000001f4000000018c0e2dfa',
  },
  {
    name: 'GetOffset',
    operation: getOffset,
    value: { partitionId: 7 },
    hex: '0000001400010203040506070301000000000007236145f3',
  },
  {
    name: 'CreateTopic',
    operation: createTopic,
    value: { name: 'höhe', partitions: 3 },
    hex: '0000001b000102030405060704010000000568c3b66865000000036909c104',
  },
  {
    name: 'DeleteTopic',
    operation: deleteTopic,
    value: { name: 'höhe' },
    hex: '00000017000102030405060705010000000568c3b66865e9eb5b0b',
  },
  { name: 'ListTopics', operation: listTopics, value: {}, hex: '0000001000010203040506070601000032e8f50c' },
  { name: 'HealthCheck', operation: healthCheck, value: {}, hex: '000000100001020304050607070100008a549269' },
]

export const responses: readonly (Sample & { readonly read?: unknown })[] = [
  {
    name: 'Produce',
    operation: produce,
    value: { partitionId: 7, baseOffset: Number.MAX_SAFE_INTEGER },
    hex: '0000001b000102030405060700000000000007001fffffffffffffe1f47e5a',
  },
  {
    name: 'Produce in part',
    operation: produce,
    value: { partitionId: 7, baseOffset: 41, partial: { stored: 2, errorCode: logError.storageError } },
    hex: '0000001f00010203040506070200070000000700000000000000290000000203b3ea84',
  },
  {
    name: 'Fetch',
    operation: fetch,
    value: { partitionId: 7, highWaterMark: 44, slices: [sliceFrom(1)] },
    hex: '0000004f000102030405060700000000000007000000000000002c00000002000000000000002affffffffffffffffffffffff00000000000000000000002b000000000000000000000000ffffffffb8b7f08e',
  },
  {
    name: 'Fetch at the high-water mark',
    operation: fetch,
    value: { partitionId: 7, highWaterMark: 44, slices: [] },
    hex: '0000001f000102030405060700000000000007000000000000002c00000000717b7e62',
  },
  {
    name: 'GetOffset',
    operation: getOffset,
    value: { highWaterMark: 44 },
    hex: '000000170001020304050607000000000000000000002c89feea99',
  },
  {
    name: 'CreateTopic',
    operation: createTopic,
    value: { partitions: [7, 8, 0xffffffff] },
    hex: '0000001f0001020304050607000000000000030000000700000008ffffffff3f59d01a',
  },
  { name: 'DeleteTopic', operation: deleteTopic, value: {}, hex: '0000000f00010203040506070000005ce9a074' },
  {
    name: 'ListTopics',
    operation: listTopics,
    value: {
      topics: [
        { name: 'höhe', partitions: [7, 8] },
        { name: 'a', partitions: [] },
      ],
    },
    hex: '0000002d000102030405060700000000000002000568c3b6686500000002000000070000000800016100000000cece609e',
  },
  { name: 'HealthCheck', operation: healthCheck, value: {}, hex: '0000000f00010203040506070000005ce9a074' },
]

/** Error 8 with its text. */
export const failure = {
  errorCode: logError.topicNotFound,
  text: 'weg, für immer',
  hex: '0000001e00010203040506070100087765672c2066c3bc7220696d6d6572cf7500db',
}
