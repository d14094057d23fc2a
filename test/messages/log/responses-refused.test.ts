/** A client takes no response that is against the grammar, and says where. */
import t from 'tap'
import { decodeLogResponse, encodeLogError, encodeLogResponse } from '../../../src/messages/index.ts'
import { sealLogFrame } from '../../../src/messages/log/frame.ts'
import { logOperation } from '../../../src/messages/log/operations.ts'
import { judgeLogResponseHeader, readLogResponse, readLogResponseId } from '../../../src/messages/log/response.ts'
import { STOP } from '../../../src/messages/wire/frame-decoder.ts'
import { responses } from './samples.ts'

const { produce, fetch, getOffset, createTopic, deleteTopic, listTopics, healthCheck } = logOperation

function frame(payload: string, status = 0, errorCode = 0): Buffer {
  const bytes = Buffer.alloc(19 + payload.length / 2)
  bytes.writeUInt32BE(bytes.length - 4)
  bytes.writeUInt8(status, 12)
  bytes.writeUInt16BE(errorCode, 13)
  bytes.write(payload, 15, 'hex')
  sealLogFrame(bytes, 0, bytes.length)
  return bytes
}

const head = '00000007000000000000002c'
const noKeyNoValue = `${'00'.repeat(8)}ffffffffffffffff`
const above = '0020000000000000'

for (const [operation, bytes, text] of [
  [produce, frame('00000007', 0), 'Produce response: baseOffset needs 8 bytes, 0 are left at offset 4'],
  [produce, frame(`00000007${above}`), 'Produce response: baseOffset is above 2^53 - 1 at offset 4'],
  [produce, frame(head, 2, 7), 'Produce response: stored needs 4 bytes, 0 are left at offset 12'],
  [produce, frame(`${head}00000000`, 2, 7), 'Produce response: stored 0 at offset 12'],
  [produce, frame(`${head}00000001`), 'Produce response: 4 trailing bytes at offset 12'],
  [fetch, frame(`${head}00000001`), 'Fetch response: count 1 is more than 0 bytes hold at offset 12'],
  [fetch, frame(`${head}00000001${above}${noKeyNoValue}`), 'Fetch response: offset is above 2^53 - 1 at offset 16'],
  [fetch, frame(head, 2, 7), 'Fetch response: status 2'],
  [getOffset, frame(above), 'GetOffset response: highWaterMark is above 2^53 - 1 at offset 0'],
  [createTopic, frame('ffffffff'), 'CreateTopic response: count 4294967295 is more than 0 bytes hold at offset 0'],
  [deleteTopic, frame('00'), 'DeleteTopic response: 1 trailing bytes at offset 0'],
  [listTopics, frame('00000001000000000000ff'), 'ListTopics response: nameLen 0 at offset 4'],
  [healthCheck, frame('', 1), 'HealthCheck response: error code 0 with status 1'],
  [healthCheck, frame('', 0, 7), 'HealthCheck response: error code 7 with status 0'],
  [healthCheck, frame('', 3, 7), 'HealthCheck response: status 3'],
] as const) {
  t.test(text, t => {
    t.throws(() => decodeLogResponse<unknown>(operation, bytes), { code: 'BAD_FRAME', message: text })
    t.end()
  })
}

t.test('an error code that a newer server may have is told', t => {
  const bytes = encodeLogError(1, 999, 'new')
  t.same(decodeLogResponse(healthCheck, bytes), { requestId: 1, ok: false, errorCode: 999, text: 'new' })
  t.throws(() => encodeLogError(1, 0, ''), { code: 'BAD_FRAME', details: { field: 'errorCode' } })
  t.end()
})

t.test('every truncation, every turned bit, and bytes behind the frame, are no response', t => {
  let taken = 0
  const take = (operation: (typeof responses)[number]['operation'], bytes: Buffer) => {
    try {
      decodeLogResponse(operation, bytes)
      taken++
    } catch (error) {
      if ((error as { code?: string }).code !== 'BAD_FRAME') throw error
    }
  }
  for (const { operation, hex } of responses) {
    const bytes = Buffer.from(hex, 'hex')
    for (let end = 0; end < bytes.length; end++) take(operation, bytes.subarray(0, end))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const spoiled = Buffer.from(bytes)
      spoiled[bit >> 3]! ^= 1 << (bit & 7)
      take(operation, spoiled)
    }
    take(operation, Buffer.concat([bytes, Buffer.alloc(1)]))
  }
  t.equal(taken, 0)
  t.end()
})

t.test('a length under 15 stops the stream, and one of more than 15 above the limit of the server', t => {
  const header = Buffer.alloc(15)
  const verdict = (length: number) => {
    header.writeUInt32BE(length)
    return judgeLogResponseHeader(header, 0, 1_000)
  }
  t.same([0, 14, 15, 16, 1_015, 1_016, 0xffffffff].map(verdict), [STOP, STOP, 4, 5, 1_004, STOP, STOP])
  t.end()
})

t.test('an id that no client has given is no id of one', t => {
  const bytes = encodeLogResponse(healthCheck, Number.MAX_SAFE_INTEGER, {})
  t.equal(readLogResponseId(bytes, 0), Number.MAX_SAFE_INTEGER)
  bytes.writeBigUInt64BE(2n ** 53n, 4)
  sealLogFrame(bytes, 0, bytes.length)
  t.ok(readLogResponseId(bytes, 0) > Number.MAX_SAFE_INTEGER)
  t.ok(readLogResponse(healthCheck, bytes, 0, bytes.length - 15).ok)
  t.throws(() => decodeLogResponse(healthCheck, bytes), { code: 'BAD_FRAME', details: { field: 'requestId' } })
  t.end()
})

t.test('what does not fit its field is not answered', t => {
  const refused = (sample: number, changes: object, field: string) => {
    const { operation, value } = responses[sample]!
    const changed = { ...(value as object), ...changes }
    t.throws(() => encodeLogResponse(operation, 1, changed), { code: 'BAD_FRAME', details: { field } }, field)
  }
  const tooMuch = Number.MAX_SAFE_INTEGER + 1
  refused(0, { baseOffset: tooMuch }, 'baseOffset')
  refused(1, { partial: { stored: 0, errorCode: 7 } }, 'stored')
  refused(1, { partial: { stored: 1, errorCode: 0 } }, 'errorCode')
  refused(2, { highWaterMark: tooMuch }, 'highWaterMark')
  refused(4, { highWaterMark: -1 }, 'highWaterMark')
  refused(5, { partitions: [1, 2 ** 32] }, 'partitionId')
  refused(7, { topics: [{ name: '', partitions: [] }] }, 'nameLen')
  t.end()
})
