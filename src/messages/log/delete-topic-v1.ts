/**
 * DeleteTopic, version 1: a topic, its partitions and their messages go. Big-endian.
 *
 * | request field | size            |
 * |---------------|-----------------|
 * | nameLen       | u16, at least 1 |
 * | name          | nameLen, UTF-8  |
 *
 * The payload of the response is empty.
 */
import { LOG_VERSION, logType } from './codes.ts'
import { nameBytes, readName, writeName } from './fields-v1.ts'
import { emptyResponse, type Nothing } from './nothing-v1.ts'
import { type LogOperation, plainOperation } from './operation.ts'

/** A DeleteTopic as its sender means it. */
export interface DeleteTopicRequest {
  readonly name: string
}

export const deleteTopicV1: LogOperation<DeleteTopicRequest, Nothing> = {
  ...plainOperation,
  ...emptyResponse,
  name: 'DeleteTopic',
  type: logType.deleteTopic,
  version: LOG_VERSION,

  requestBytes: ({ name }) => nameBytes('DeleteTopic request', name),
  writeRequest(target, at, { name }) {
    writeName(target, at, name)
  },
  readRequest: reader => ({ name: readName(reader) }),
}
