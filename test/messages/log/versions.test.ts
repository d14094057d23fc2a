/** Versions of an operation are served side by side: version 1 stays what it is, and 2 says more. */
import t from 'tap'
import {
  decodeLogRequest,
  decodeLogResponse,
  encodeLogRequest,
  encodeLogResponse,
} from '../../../src/messages/index.ts'
import type { GetOffsetRequest, GetOffsetResponse } from '../../../src/messages/log/get-offset-v1.ts'
import type { LogOperation } from '../../../src/messages/log/operation.ts'
import { LogOperations, logOperation, logOperationsV1 } from '../../../src/messages/log/operations.ts'
import { writeU64 } from '../../../src/messages/wire/in-place.ts'

const { getOffset } = logOperation

interface GetOffsetV2Response extends GetOffsetResponse {
  readonly lowWaterMark: number
}

/** GetOffset as it might become: the answer tells the first offset as well. */
const getOffsetV2: LogOperation<GetOffsetRequest, GetOffsetV2Response> = {
  ...getOffset,
  version: 2,
  answerBytes: answer => getOffset.answerBytes(answer) + 8,
  writeAnswer(target, at, answer) {
    getOffset.writeAnswer(target, at, answer)
    writeU64(target, at + 8, answer.lowWaterMark)
  },
  readResponse: (reader, outcome) => ({
    ...getOffset.readResponse(reader, outcome),
    lowWaterMark: reader.safeU64('lowWaterMark'),
  }),
}

const both = new LogOperations([...logOperationsV1, getOffsetV2])

/** A server of both versions. */
function serve(bytes: Buffer): Buffer {
  const { operation, requestId, request } = decodeLogRequest(bytes, both)
  const { partitionId } = request as GetOffsetRequest
  return encodeLogResponse(operation, requestId, { highWaterMark: partitionId * 10, lowWaterMark: partitionId })
}

t.test('each request is answered in its version', t => {
  const v1 = serve(encodeLogRequest(getOffset, 1, { partitionId: 7 }))
  const v2 = serve(encodeLogRequest(getOffsetV2, 2, { partitionId: 8 }))
  t.match(decodeLogResponse(getOffset, v1), { requestId: 1, response: { highWaterMark: 70 } })
  t.match(decodeLogResponse(getOffsetV2, v2), { requestId: 2, response: { highWaterMark: 80, lowWaterMark: 8 } })
  t.throws(() => decodeLogResponse(getOffset, v2), { message: 'GetOffset response: 8 trailing bytes at offset 8' })
  t.throws(() => decodeLogResponse(getOffsetV2, v1), { message: /lowWaterMark needs 8 bytes/ })
  t.end()
})

t.test('a server of version 1 alone does not know 2', t => {
  const bytes = encodeLogRequest(getOffsetV2, 1, { partitionId: 7 })
  t.throws(() => decodeLogRequest(bytes), { details: { errorCode: 1 }, message: /type 3 in version 2/ })
  t.end()
})

t.test('there are no two operations of one type and version', t => {
  t.throws(() => new LogOperations([...both, getOffsetV2]), { code: 'BAD_CONFIG', details: { type: 3, version: 2 } })
  t.same(
    [...logOperationsV1].map(({ type, version }) => [type, version]),
    [1, 2, 3, 4, 5, 6, 7].map(type => [type, 1]),
  )
  t.end()
})
