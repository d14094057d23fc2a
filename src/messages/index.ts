/** The public shapes of what crosses a boundary, and their codecs. */
import '../check-node.js'

export { type ErrorCode, errorCodes, type Handled, isStarfishError, StarfishError } from './errors.ts'
export { decodeEventRequest, type EventRequest, encodeEventRequest } from './event/request-v1.ts'
export { decodeEventResponse, type EventResponse, encodeEventResponse } from './event/response-v1.ts'
export {
  EVENT_BODY_BYTES_MAX,
  EVENT_HEADER_BYTES,
  EVENT_VERSION,
  type EventStatus,
  type EventStatusName,
  eventCommand,
  eventStatus,
} from './event/status.ts'
export { type ServerLimits, serverLimitDefaults } from './limits.ts'
export {
  encodeLogBatch,
  type FetchedMessage,
  type LogBatch,
  type LogEntries,
  readLogBatch,
  readLogEntries,
} from './log/batch-v1.ts'
export {
  type Acknowledgement,
  acknowledgements,
  LOG_FRAME_BYTES_MAX,
  type LogErrorCode,
  type LogErrorName,
  logError,
} from './log/codes.ts'
export type { CreateTopicRequest, CreateTopicResponse } from './log/create-topic-v1.ts'
export type { DeleteTopicRequest } from './log/delete-topic-v1.ts'
export type { FetchRequest, FetchResponse, LongPoll } from './log/fetch-v1.ts'
export type { GetOffsetRequest, GetOffsetResponse } from './log/get-offset-v1.ts'
export type { ListTopicsResponse, LogTopic } from './log/list-topics-v1.ts'
export type { LogMessage, LogMessageView } from './log/message-v1.ts'
export type { LogOperation } from './log/operation.ts'
export { logOperation } from './log/operations.ts'
export type { PartialBatch, ProduceRequest, ProduceResponse, ProducerSequence } from './log/produce-v1.ts'
export { type DecodedLogRequest, decodeLogRequest, encodeLogRequest } from './log/request.ts'
export {
  type DecodedLogResponse,
  decodeLogResponse,
  encodeLogError,
  encodeLogResponse,
  type LogFailure,
  type LogSuccess,
} from './log/response.ts'
export type { ActorExit, BlackBoxEntry, ExitReason, ExitType } from './thread/exit.ts'
export { isAbnormal } from './thread/exit.ts'
