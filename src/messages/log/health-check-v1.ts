/** HealthCheck, version 1: the server answers. The payloads of request and response are empty. */
import { LOG_VERSION, logType } from './codes.ts'
import { emptyRequest, emptyResponse, type Nothing } from './nothing-v1.ts'
import { type LogOperation, plainOperation } from './operation.ts'

export const healthCheckV1: LogOperation<Nothing, Nothing> = {
  ...plainOperation,
  ...emptyRequest,
  ...emptyResponse,
  name: 'HealthCheck',
  type: logType.healthCheck,
  version: LOG_VERSION,
}
