/** What a connection reads is its chunk's only while it is read: answers that are kept have bytes of their own. */
import t from 'tap'
import { encodeLogBatch, readLogEntries } from '../../../../src/messages/log/batch-v1.ts'
import type { FetchRequest, FetchResponse } from '../../../../src/messages/log/fetch-v1.ts'
import { logOperation } from '../../../../src/messages/log/operations.ts'
import { encodeLogResponse } from '../../../../src/messages/log/response.ts'
import type { LinkOwner } from '../../../../src/services/clients/link.ts'
import { logCall } from '../../../../src/services/clients/log/log-calls.ts'
import { LogStream } from '../../../../src/services/clients/log/log-stream.ts'
import { type AnyLogCall, PendingLog } from '../../../../src/services/clients/log/pending-log.ts'

const lengthMax = 1_000_000
const text = 'x'.repeat(1_000)

/** A fetch that is in flight as the first of its connection, and the answer to it. */
function fetching() {
  const answers: FetchResponse[] = []
  const owner = { answered: (_: unknown, answer: unknown) => answers.push(answer as FetchResponse) }
  const stream = new LogStream('a server', owner as unknown as LinkOwner<PendingLog>, lengthMax)
  const request: FetchRequest = { partitionId: 1, offset: 0, maxBytes: 10_000 }
  const waits = { timeoutMs: 1_000, isIdempotent: true }
  const nobody = () => {}
  const pending = new PendingLog(logCall.fetch as AnyLogCall, request, lengthMax, waits, nobody, nobody)
  stream.write(pending, Buffer.alloc(pending.bytes), 0)
  const { bytes, start, end } = encodeLogBatch([{ timestampMs: 1, key: null, value: Buffer.from(text) }])
  const slice = { bytes, start: start + 4, end, count: 1, offset: 0 }
  const answer = { partitionId: 1, highWaterMark: 1, slices: [slice] }
  return { stream, answers, frame: encodeLogResponse(logOperation.fetch, pending.requestId, answer) }
}

t.test('messages that came in one chunk, and nothing beside them', t => {
  const { stream, answers, frame } = fetching()
  stream.read(frame)
  frame.fill(0)
  t.equal(String(readLogEntries(answers[0]!.entries)[0]!.value), text)
  t.end()
})

t.test('messages that came in two', t => {
  const { stream, answers, frame } = fetching()
  const input = Buffer.from(frame.subarray(0, 500))
  stream.read(input)
  input.fill(0)
  const rest = Buffer.from(frame.subarray(500))
  stream.read(rest)
  rest.fill(0)
  t.equal(String(readLogEntries(answers[0]!.entries)[0]!.value), text)
  t.end()
})
