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
export type { ActorExit, BlackBoxEntry, ExitReason, ExitType } from './thread/exit.ts'
export { isAbnormal } from './thread/exit.ts'
