/** Requests and responses of the log protocol, to the byte, in both directions. */
import t from 'tap'
import {
  acknowledgements,
  decodeLogRequest,
  decodeLogResponse,
  encodeLogError,
  encodeLogRequest,
  encodeLogResponse,
  logError,
} from '../../../src/messages/index.ts'
import { logFlag, logStatus, logType } from '../../../src/messages/log/codes.ts'
import { logOperation } from '../../../src/messages/log/operations.ts'
import { plain } from './plain.ts'
import { failure, messages, requestId, requests, responses } from './samples.ts'

for (const { name, operation, value, hex } of requests) {
  t.test(`request: ${name}`, t => {
    t.equal(encodeLogRequest(operation, requestId, value).toString('hex'), hex)
    const decoded = decodeLogRequest(Buffer.from(hex, 'hex'))
    t.same({ ...decoded, request: plain(decoded.request) }, { requestId, operation, request: plain(value) })
    t.end()
  })
}

const fetched = messages.slice(1).map((message, at) => ({ offset: 42 + at, ...message }))

for (const { name, operation, value, hex } of responses) {
  t.test(`response: ${name}`, t => {
    t.equal(encodeLogResponse(operation, requestId, value).toString('hex'), hex)
    const decoded = decodeLogResponse(operation, Buffer.from(hex, 'hex'))
    if (!decoded.ok) return t.fail(decoded.text)
    t.equal(decoded.requestId, requestId)
    if (operation !== logOperation.fetch) t.same(plain(decoded.response), plain(value))
    else {
      const entries =
        name === 'Fetch' ? fetched.map(({ key, ...rest }) => ({ ...rest, key: key?.toString() ?? null })) : []
      const texts = entries.map(({ value, ...rest }) => ({ ...rest, value: value?.toString() ?? null }))
      t.same(plain(decoded.response), { partitionId: 7, highWaterMark: 44, entries: texts })
    }
    t.end()
  })
}

t.test('a response that is an error, to a request of any operation', t => {
  const { errorCode, text, hex } = failure
  t.equal(encodeLogError(requestId, errorCode, text).toString('hex'), hex)
  for (const operation of Object.values(logOperation)) {
    t.same(decodeLogResponse<unknown>(operation, Buffer.from(hex, 'hex')), { requestId, ok: false, errorCode, text })
  }
  t.end()
})

t.test('bodies are views of the bytes they were read from', t => {
  const bytes = encodeLogRequest(requests[0]!.operation, 1, requests[0]!.value)
  const { request } = decodeLogRequest(bytes)
  bytes.fill('x', bytes.length - 4 - 16 - 16 - 5, bytes.length - 4 - 16 - 16)
  t.match(plain(request), { batch: [{ value: 'xxxxx' }, {}, {}] })
  t.end()
})

t.test('the numbers never change', t => {
  const numbered = (table: Readonly<Record<string, number>>) =>
    Object.entries(table).map(([name, at]) => `${at} ${name}`)
  t.same(numbered(logType), [
    '1 produce',
    '2 fetch',
    '3 getOffset',
    '4 createTopic',
    '5 deleteTopic',
    '6 listTopics',
    '7 healthCheck',
  ])
  t.same(numbered(logStatus), ['0 ok', '1 error', '2 partial'])
  t.same(numbered(logError), [
    '0 none',
    '1 unknownRequest',
    '2 invalidRequest',
    '3 offsetOutOfRange',
    '4 corruptMessage',
    '5 partitionNotFound',
    '6 requestTimeout',
    '7 storageError',
    '8 topicNotFound',
    '9 topicExists',
  ])
  t.same(numbered(logFlag), ['3 acknowledgement', '4 producer', '8 longPoll'])
  t.same(acknowledgements, ['committed', 'received', 'flushed'])
  t.end()
})
