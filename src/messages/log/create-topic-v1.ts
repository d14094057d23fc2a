/**
 * CreateTopic, version 1: a named list of new partitions. Big-endian.
 *
 * | request field | size                     |
 * |---------------|--------------------------|
 * | nameLen       | u16, at least 1          |
 * | name          | nameLen, UTF-8           |
 * | partitions    | u32, at least 1          |
 *
 * | response field | size  |
 * |----------------|-------|
 * | count          | u32   |
 * | partitionId*   | u32   |
 */
import { checkField } from '../wire/check-field.ts'
import { writeU32 } from '../wire/in-place.ts'
import { LOG_VERSION, logType } from './codes.ts'
import { nameBytes, partitionsBytes, readName, readPartitions, writeName, writePartitions } from './fields-v1.ts'
import { type LogOperation, plainOperation } from './operation.ts'

/** A CreateTopic as its sender means it. */
export interface CreateTopicRequest {
  readonly name: string
  /** How many, at least 1. */
  readonly partitions: number
}

/** The new topic. */
export interface CreateTopicResponse {
  /** Ids of its partitions, which no other topic has. */
  readonly partitions: readonly number[]
}

const requestName = 'CreateTopic request'

export const createTopicV1: LogOperation<CreateTopicRequest, CreateTopicResponse> = {
  ...plainOperation,
  name: 'CreateTopic',
  type: logType.createTopic,
  version: LOG_VERSION,

  requestBytes({ name, partitions }) {
    checkField(requestName, 'partitions', partitions, 0xffff_ffff, 1)
    return nameBytes(requestName, name) + 4
  },
  writeRequest(target, at, { name, partitions }) {
    writeU32(target, writeName(target, at, name), partitions)
  },
  readRequest(reader) {
    const name = readName(reader)
    const partitions = reader.u32('partitions')
    if (partitions === 0) reader.refuse('partitions', reader.at - 4, 'partitions 0')
    return { name, partitions }
  },

  answerBytes: ({ partitions }) => partitionsBytes('CreateTopic response', partitions),
  writeAnswer(target, at, { partitions }) {
    writePartitions(target, at, partitions)
  },
  readResponse: reader => ({ partitions: readPartitions(reader) }),
}
