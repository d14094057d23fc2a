/**
 * ListTopics, version 1: every topic with its partitions. Big-endian.
 *
 * The payload of the request is empty.
 *
 * | response field | size                                                     |
 * |----------------|----------------------------------------------------------|
 * | count          | u32, of topics                                           |
 * | topic*         | `nameLen u16 \| name \| count u32 \| partitionId u32*`   |
 */
import { writeU32 } from '../wire/in-place.ts'
import { LOG_VERSION, logType } from './codes.ts'
import { nameBytes, partitionsBytes, readName, readPartitions, writeName, writePartitions } from './fields-v1.ts'
import { emptyRequest, type Nothing } from './nothing-v1.ts'
import { type LogOperation, plainOperation } from './operation.ts'

/** A topic and its partitions. */
export interface LogTopic {
  readonly name: string
  /** Ids of its partitions, in the order in which keys are spread over them. */
  readonly partitions: readonly number[]
}

/** All topics. */
export interface ListTopicsResponse {
  readonly topics: readonly LogTopic[]
}

/** The payload of an answer, encoded before: for who answers the same again and again. */
export interface EncodedTopics {
  readonly encoded: Buffer
}

const responseName = 'ListTopics response'

/** The least that a topic takes: a name of 1 byte, no partitions. */
const topicBytesMin = 7

/** Encodes topics once; `BAD_FRAME` when a field does not fit. */
export function encodeTopics(topics: readonly LogTopic[]): EncodedTopics {
  const encoded = Buffer.allocUnsafeSlow(topicsBytes(topics))
  writeTopics(encoded, 0, topics)
  return { encoded }
}

function topicsBytes(topics: readonly LogTopic[]): number {
  let size = 4
  for (const { name, partitions } of topics) {
    size += nameBytes(responseName, name) + partitionsBytes(responseName, partitions)
  }
  return size
}

function writeTopics(target: Buffer, from: number, topics: readonly LogTopic[]): void {
  writeU32(target, from, topics.length)
  let at = from + 4
  for (const { name, partitions } of topics) at = writePartitions(target, writeName(target, at, name), partitions)
}

export const listTopicsV1: LogOperation<Nothing, ListTopicsResponse | EncodedTopics, ListTopicsResponse> = {
  ...plainOperation,
  ...emptyRequest,
  name: 'ListTopics',
  type: logType.listTopics,
  version: LOG_VERSION,

  answerBytes: answer => ('encoded' in answer ? answer.encoded.length : topicsBytes(answer.topics)),
  writeAnswer(target, at, answer) {
    if ('encoded' in answer) target.set(answer.encoded, at)
    else writeTopics(target, at, answer.topics)
  },
  readResponse(reader) {
    const topics: LogTopic[] = []
    for (let left = reader.count('count', topicBytesMin, 0); left > 0 && reader.fault === undefined; left--) {
      topics.push({ name: readName(reader), partitions: readPartitions(reader) })
    }
    return { topics }
  },
}
