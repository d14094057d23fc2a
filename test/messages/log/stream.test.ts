/** Requests and responses come out of a stream whole and in order, wherever it is cut; a length is judged before a byte is kept. */
import { deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { encodeLogError, encodeLogRequest, encodeLogResponse } from '../../../src/messages/index.ts'
import { LOG_REQUEST_HEADER_BYTES, LOG_RESPONSE_HEADER_BYTES } from '../../../src/messages/log/codes.ts'
import { logOperation, logOperationsV1 } from '../../../src/messages/log/operations.ts'
import { judgeLogRequestHeader, LogRequestDecoder } from '../../../src/messages/log/request.ts'
import { judgeLogResponseHeader, readLogResponse, readLogResponseId } from '../../../src/messages/log/response.ts'
import { decodeChunk, type FrameSink, type PartialFrame } from '../../../src/messages/wire/frame-decoder.ts'
import { anyRequest } from './arbitraries.ts'
import { plain } from './plain.ts'
import { responses } from './samples.ts'

const lengthMax = 100_000

abstract class Sink implements FrameSink {
  abstract readonly headerBytes: number
  partial: PartialFrame | undefined
  readonly seen: unknown[] = []
  keptBytes = 0

  abstract onHeader(bytes: Buffer, at: number): number
  abstract onFrame(bytes: Buffer, at: number, bodyBytes: number): void

  mayDecode(): boolean {
    return true
  }
  allocate(bytes: number, growBytes: number): Buffer {
    this.keptBytes += growBytes
    return Buffer.alloc(bytes)
  }
}

class RequestSink extends Sink {
  readonly headerBytes = LOG_REQUEST_HEADER_BYTES
  readonly #decoder = new LogRequestDecoder(logOperationsV1)

  onHeader(bytes: Buffer, at: number): number {
    return judgeLogRequestHeader(bytes, at, lengthMax)
  }
  onFrame(bytes: Buffer, at: number, bodyBytes: number): void {
    const fault = this.#decoder.decode(bytes, at, bodyBytes)
    this.seen.push(fault ?? [this.#decoder.operation.name, plain(this.#decoder.request)])
  }
}

/** A client that waits for the responses in `expected`, by their id. */
class ResponseSink extends Sink {
  readonly headerBytes = LOG_RESPONSE_HEADER_BYTES

  onHeader(bytes: Buffer, at: number): number {
    return judgeLogResponseHeader(bytes, at, lengthMax)
  }
  onFrame(bytes: Buffer, at: number, bodyBytes: number): void {
    const { operation } = responses[readLogResponseId(bytes, at) % responses.length]!
    const read = readLogResponse(operation, bytes, at, bodyBytes)
    this.seen.push(read.ok ? plain(read.response) : read)
  }
}

/** Feeds the stream in pieces of these sizes, over and over. */
function feed<T extends Sink>(sink: T, stream: Buffer, sizes: readonly number[]): T {
  for (let at = 0, piece = 0; at < stream.length; piece++) {
    const size = sizes[piece % sizes.length]!
    decodeChunk(sink, stream.subarray(at, at + size))
    at += size
  }
  return sink
}

const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 400 })), {
  minLength: 1,
  maxLength: 20,
})

t.test('requests, cut anywhere', t => {
  const many = fc.array(anyRequest, { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(many, pieces, (samples, sizes) => {
      const stream = Buffer.concat(samples.map(([operation, request], id) => encodeLogRequest(operation, id, request)))
      const { seen, partial } = feed(new RequestSink(), stream, sizes)
      same(
        seen,
        samples.map(([{ name }, request]) => [name, plain(request)]),
      )
      same(partial, undefined)
    }),
    { numRuns: 400, seed: 41 },
  )
  t.pass()
  t.end()
})

t.test('responses, cut anywhere, errors among them', t => {
  const stream = Buffer.concat([
    ...responses.map(({ operation, value }, id) => encodeLogResponse(operation, id, value)),
    encodeLogError(responses.length, 9, 'there is one'),
  ])
  const whole = feed(new ResponseSink(), stream, [stream.length]).seen
  t.equal(whole.length, responses.length + 1)
  t.match(whole.at(-1), { ok: false, errorCode: 9, text: 'there is one' })
  fc.assert(
    fc.property(pieces, sizes => {
      const { seen, partial } = feed(new ResponseSink(), stream, sizes)
      same(seen, whole)
      same(partial, undefined)
    }),
    { numRuns: 400, seed: 42 },
  )
  t.end()
})

t.test('a request that is refused in words leaves the stream in step', t => {
  const health = encodeLogRequest(logOperation.healthCheck, 1, {})
  const unknown = encodeLogRequest({ ...logOperation.healthCheck, type: 99 }, 2, {})
  for (const size of [1, 7, 1_000]) {
    const { seen } = feed(new RequestSink(), Buffer.concat([health, unknown, health]), [size])
    t.match(seen, [['HealthCheck', {}], { errorCode: 1, closes: false }, ['HealthCheck', {}]])
  }
  t.end()
})

t.test('nothing is kept of a frame whose length is over the limit, or none', t => {
  const header = Buffer.alloc(16)
  for (const length of [0, 15, lengthMax + 1, 0xffffffff]) {
    header.writeUInt32BE(length)
    for (const size of [1, 16, 5_000]) {
      const sink = feed(new RequestSink(), Buffer.concat([header, Buffer.alloc(4_000)]), [size, 10_000])
      t.same([sink.keptBytes, sink.seen], [0, []])
    }
  }
  header.writeUInt32BE(lengthMax)
  const sink = feed(new RequestSink(), Buffer.concat([header, Buffer.alloc(1_000)]), [5_000])
  t.ok(
    sink.keptBytes > 0 && sink.keptBytes <= 2_100,
    `${sink.keptBytes} bytes are kept of the largest, of which 1,016 came`,
  )
  t.end()
})
