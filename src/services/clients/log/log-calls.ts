/** The operations of the protocol as the client asks for them. */
import { type LogEntries, offsetOutOfStep } from '../../../messages/log/batch-v1.ts'
import type { CreateTopicRequest, CreateTopicResponse } from '../../../messages/log/create-topic-v1.ts'
import type { FetchRequest, FetchResponse } from '../../../messages/log/fetch-v1.ts'
import type { GetOffsetResponse } from '../../../messages/log/get-offset-v1.ts'
import type { ListTopicsResponse, LogTopic } from '../../../messages/log/list-topics-v1.ts'
import type { Nothing } from '../../../messages/log/nothing-v1.ts'
import { logOperation } from '../../../messages/log/operations.ts'
import {
  type ProduceMessagesRequest,
  type ProduceRequest,
  type ProduceResponse,
  produceMessagesV1,
} from '../../../messages/log/produce-v1.ts'
import type { LogCall } from './pending-log.ts'

interface OfTopic {
  readonly name: string
}

interface OfPartition {
  readonly partitionId: number
}

const aboutTopic = ({ name }: OfTopic) => ` of topic ${name}`
const aboutPartition = ({ partitionId }: OfPartition) => ` of partition ${partitionId}`
const aboutNothing = () => ''
const nothing = () => undefined

/** Keeps the bytes of an answer: those in a chunk, or beside much else, are copied. */
function keepEntries(response: FetchResponse, isOwn: boolean): FetchResponse {
  const { entries } = response
  const size = entries.end - entries.start
  if (isOwn && size * 2 >= entries.bytes.length) return response
  const bytes = Buffer.allocUnsafeSlow(size)
  entries.bytes.copy(bytes, 0, entries.start, entries.end)
  const kept: LogEntries = { bytes, start: 0, end: size, count: entries.count }
  return { ...response, entries: kept }
}

const createTopic: LogCall<CreateTopicRequest, CreateTopicResponse> = {
  operation: logOperation.createTopic,
  about: aboutTopic,
  answerOf: response => response,
}

const deleteTopic: LogCall<OfTopic, Nothing, void> = {
  operation: logOperation.deleteTopic,
  about: aboutTopic,
  answerOf: nothing,
}

const listTopics: LogCall<Nothing, ListTopicsResponse, readonly LogTopic[]> = {
  operation: logOperation.listTopics,
  about: aboutNothing,
  answerOf: ({ topics }) => topics,
}

const getOffset: LogCall<OfPartition, GetOffsetResponse, number> = {
  operation: logOperation.getOffset,
  about: aboutPartition,
  answerOf: ({ highWaterMark }) => highWaterMark,
}

const healthCheck: LogCall<Nothing, Nothing, void> = {
  operation: logOperation.healthCheck,
  about: aboutNothing,
  answerOf: nothing,
}

function producedFault(
  partition: number,
  count: number,
  { partitionId, partial }: ProduceResponse,
): string | undefined {
  if (partitionId !== partition) return `is of partition ${partitionId}`
  return partial !== undefined && partial.stored > count ? 'has stored more than was sent' : undefined
}

const produce: LogCall<ProduceRequest, ProduceResponse> = {
  operation: logOperation.produce,
  about: aboutPartition,
  faultOf: ({ partitionId, batch }, response) => producedFault(partitionId, batch.count, response),
  answerOf: response => response,
}

const produceMessages: LogCall<ProduceMessagesRequest, ProduceResponse> = {
  operation: produceMessagesV1,
  about: aboutPartition,
  faultOf: ({ partitionId, messages }, response) => producedFault(partitionId, messages.length, response),
  answerOf: response => response,
}

const fetch: LogCall<FetchRequest, FetchResponse> = {
  operation: logOperation.fetch,
  about: aboutPartition,
  isLong: ({ longPoll }) => longPoll !== undefined,
  faultOf: ({ partitionId, offset }, { partitionId: answered, entries }) => {
    if (answered !== partitionId) return `is of partition ${answered}`
    const wrong = offsetOutOfStep(entries, offset)
    return wrong === undefined ? undefined : `has a message at offset ${wrong}, out of step`
  },
  answerOf: keepEntries,
}

/** The calls, by the name of their operation. */
export const logCall = {
  createTopic,
  deleteTopic,
  listTopics,
  getOffset,
  healthCheck,
  produce,
  produceMessages,
  fetch,
} as const
