/** What is wrong with a request is found in one order, named by field and offset, and costs the connection only where it must. */
import t from 'tap'
import { decodeLogRequest, encodeLogRequest, logError } from '../../../src/messages/index.ts'
import { sealLogFrame } from '../../../src/messages/log/frame.ts'
import { logOperationsV1 } from '../../../src/messages/log/operations.ts'
import { judgeLogRequestHeader, LogRequestDecoder } from '../../../src/messages/log/request.ts'
import { STOP } from '../../../src/messages/wire/frame-decoder.ts'
import { requestId, requests } from './samples.ts'

/** A frame with a right length and checksum around a payload of hex. */
function frame(type: number, payload = '', { flags = 0, version = 1 } = {}): Buffer {
  const bytes = Buffer.alloc(20 + payload.length / 2)
  bytes.writeUInt32BE(bytes.length - 4)
  bytes.writeUInt8(type, 12)
  bytes.writeUInt8(version, 13)
  bytes.writeUInt16BE(flags, 14)
  bytes.write(payload, 16, 'hex')
  sealLogFrame(bytes, 0, bytes.length)
  return bytes
}

const decoder = new LogRequestDecoder(logOperationsV1)
const fault = (bytes: Buffer) => decoder.decode(bytes, 0, bytes.length - 16)
const { unknownRequest, invalidRequest, corruptMessage } = logError

const partition = '00000007'
const noKeyNoValue = `${'00'.repeat(8)}ffffffffffffffff`
const batchOf = (count: string, message: string) => `${partition}${count}${message}`

const invalid: readonly (readonly [string, Buffer])[] = [
  ['Produce request: acknowledgement 3 at offset 0', frame(1, batchOf('00000001', noKeyNoValue), { flags: 3 })],
  ['Produce request: flags 0x8 are not among its own', frame(1, '', { flags: 8 })],
  ['Produce request: flags 0x8000 are not among its own', frame(1, '', { flags: 0x8000 })],
  ['Produce request: count 0 at offset 4', frame(1, batchOf('00000000', ''))],
  ['Produce request: count 0 at offset 4', frame(1, batchOf('00000000', noKeyNoValue))],
  ['Produce request: count 2 is more than 16 bytes hold at offset 4', frame(1, batchOf('00000002', noKeyNoValue))],
  [
    'Produce request: count 4294967295 is more than 16 bytes hold at offset 4',
    frame(1, batchOf('ffffffff', noKeyNoValue)),
  ],
  ['Produce request: 16 trailing bytes at offset 24', frame(1, batchOf('00000001', noKeyNoValue + noKeyNoValue))],
  ['Produce request: keyLen -2 at offset 16', frame(1, batchOf('00000001', `${'00'.repeat(8)}fffffffeffffffff`))],
  ['Produce request: valueLen -2 at offset 20', frame(1, batchOf('00000001', `${'00'.repeat(8)}fffffffffffffffe`))],
  [
    'Produce request: key needs 2147483647 bytes, 4 are left at offset 20',
    frame(1, batchOf('00000001', `${'00'.repeat(8)}7fffffffffffffff`)),
  ],
  [
    'Produce request: valueLen needs 4 bytes, 0 are left at offset 24',
    frame(1, batchOf('00000001', `${'00'.repeat(8)}00000004ffffffff`)),
  ],
  [
    'Produce request: value needs 1 bytes, 0 are left at offset 24',
    frame(1, batchOf('00000001', `${'00'.repeat(8)}ffffffff00000001`)),
  ],
  ['Produce request: sequence needs 4 bytes, 1 are left at offset 8', frame(1, '00'.repeat(9), { flags: 4 })],
  ['Fetch request: flags 0x4 are not among its own', frame(2, '', { flags: 4 })],
  ['Fetch request: maxWaitMs needs 4 bytes, 0 are left at offset 16', frame(2, '00'.repeat(16), { flags: 8 })],
  ['Fetch request: 8 trailing bytes at offset 16', frame(2, '00'.repeat(24))],
  ['GetOffset request: partitionId needs 4 bytes, 3 are left at offset 0', frame(3, '000000')],
  ['GetOffset request: flags 0x1 are not among its own', frame(3, partition, { flags: 1 })],
  ['CreateTopic request: nameLen 0 at offset 0', frame(4, '000000000001')],
  ['CreateTopic request: name needs 2 bytes, 1 are left at offset 2', frame(4, '000261')],
  ['CreateTopic request: name is not UTF-8 at offset 2', frame(4, '0001ff00000001')],
  ['CreateTopic request: partitions 0 at offset 3', frame(4, '00016100000000')],
  ['DeleteTopic request: flags 0x2 are not among its own', frame(5, '000161', { flags: 2 })],
  ['ListTopics request: 1 trailing bytes at offset 0', frame(6, '00')],
  ['HealthCheck request: 4 trailing bytes at offset 0', frame(7, '00000000')],
]

for (const [text, bytes] of invalid) {
  t.test(`invalid: ${text}`, t => {
    t.same(fault(bytes), { errorCode: invalidRequest, text, closes: false })
    t.throws(() => decodeLogRequest(bytes), {
      code: 'BAD_FRAME',
      message: `log request: ${text}`,
      details: { errorCode: invalidRequest },
    })
    t.end()
  })
}

t.test('a type or a version that nobody knows, whatever its flags and payload', t => {
  for (const [type, version] of [
    [0, 1],
    [8, 1],
    [255, 1],
    [1, 0],
    [1, 2],
    [7, 255],
  ] as const) {
    const text = `there is no request of type ${type} in version ${version}`
    const bytes = frame(type, '00', { flags: 0xffff, version })
    t.same(fault(bytes), { errorCode: unknownRequest, text, closes: false })
  }
  t.end()
})

t.test('a bit that was turned anywhere behind the length is a wrong checksum, and ends the connection', t => {
  const text = 'the checksum of the request is wrong'
  let wrong = 0
  for (const { hex } of requests) {
    const bytes = Buffer.from(hex, 'hex')
    for (let bit = 32; bit < bytes.length * 8; bit++) {
      const spoiled = Buffer.from(bytes)
      spoiled[bit >> 3]! ^= 1 << (bit & 7)
      const found = fault(spoiled)
      if (found?.errorCode !== corruptMessage || !found.closes || found.text !== text) wrong++
    }
    if (fault(bytes) !== undefined) wrong++
  }
  t.equal(wrong, 0)
  t.end()
})

t.test('a decoder goes on after a fault', t => {
  const [good] = requests
  t.ok(fault(frame(1)))
  t.equal(fault(Buffer.from(good!.hex, 'hex')), undefined)
  t.equal(decoder.operation.name, 'Produce')
  t.end()
})

t.test('a length under 16 or above the limit stops the stream', t => {
  const header = Buffer.alloc(17)
  const verdict = (length: number, lengthMax: number) => {
    header.writeUInt32BE(length, 1)
    return judgeLogRequestHeader(header, 1, lengthMax)
  }
  t.same(
    [0, 1, 15].map(length => verdict(length, 1_000)),
    [STOP, STOP, STOP],
  )
  t.same(
    [16, 17, 999, 1_000].map(length => verdict(length, 1_000)),
    [4, 5, 987, 988],
  )
  t.same(
    [1_001, 0x7fffffff, 0x80000000, 0xffffffff].map(length => verdict(length, 1_000)),
    [STOP, STOP, STOP, STOP],
  )
  t.end()
})

t.test('every truncation, and bytes behind the frame, are no request', t => {
  for (const { hex } of requests) {
    const bytes = Buffer.from(hex, 'hex')
    for (let end = 0; end < bytes.length; end++)
      t.throws(() => decodeLogRequest(bytes.subarray(0, end)), { code: 'BAD_FRAME' })
    t.throws(() => decodeLogRequest(Buffer.concat([bytes, Buffer.alloc(1)])), { code: 'BAD_FRAME' })
  }
  t.end()
})

t.test('what does not fit its field is not encoded', t => {
  const safe = Number.MAX_SAFE_INTEGER
  const refused = (sample: number, changes: object, field: string) => {
    const { operation, value } = requests[sample]!
    const changed = { ...(value as object), ...changes }
    t.throws(() => encodeLogRequest(operation, 1, changed), { code: 'BAD_FRAME', details: { field } }, field)
  }
  refused(0, { partitionId: 2 ** 32 }, 'partitionId')
  refused(0, { acknowledgement: 'soon' }, 'acknowledgement')
  refused(0, { producer: { producerId: 2n ** 64n, sequence: 0 } }, 'producerId')
  refused(0, { producer: { producerId: -1n, sequence: 0 } }, 'producerId')
  refused(0, { producer: { producerId: 0n, sequence: 2 ** 32 } }, 'sequence')
  refused(0, { batch: { bytes: Buffer.alloc(4), start: 0, end: 4, count: 0 } }, 'count')
  refused(2, { offset: safe + 1 }, 'offset')
  refused(2, { offset: -1 }, 'offset')
  refused(2, { maxBytes: 0.5 }, 'maxBytes')
  refused(3, { longPoll: { maxWaitMs: 2 ** 32, minBytes: 0 } }, 'maxWaitMs')
  refused(3, { longPoll: { maxWaitMs: 0, minBytes: -1 } }, 'minBytes')
  refused(4, { partitionId: Number.NaN }, 'partitionId')
  refused(5, { name: '' }, 'nameLen')
  refused(5, { name: 'ü'.repeat(32_768) }, 'nameLen')
  refused(5, { name: 'a\ud800' }, 'name')
  refused(5, { partitions: 0 }, 'partitions')
  const { operation, value } = requests[2]!
  for (const id of [safe + 1, -1, 0.5]) {
    t.throws(() => encodeLogRequest(operation, id, value), { code: 'BAD_FRAME', details: { field: 'requestId' } })
  }
  t.equal(decodeLogRequest(encodeLogRequest(operation, safe, value)).requestId, safe)
  t.end()
})

t.test('an id above 2^53 - 1 has no number', t => {
  const bytes = Buffer.from(requests[8]!.hex, 'hex')
  t.equal(decodeLogRequest(bytes).requestId, requestId)
  bytes.writeBigUInt64BE(2n ** 53n, 4)
  sealLogFrame(bytes, 0, bytes.length)
  t.equal(fault(bytes), undefined, 'a server answers it all the same')
  t.throws(() => decodeLogRequest(bytes), { code: 'BAD_FRAME' })
  t.end()
})

t.test('a request above 16 MiB is not encoded', t => {
  const overheadBytes = 12 + 4 + 4
  const batch = (bytes: number) => ({ bytes: Buffer.alloc(bytes), start: 0, end: bytes, count: 1 })
  const { operation, value } = requests[0]!
  const encode = (bytes: number) => encodeLogRequest(operation, 1, { ...(value as object), batch: batch(bytes) })
  t.equal(encode(2 ** 24 - overheadBytes).length, 2 ** 24 + 4)
  t.throws(() => encode(2 ** 24 - overheadBytes + 1), { code: 'BAD_FRAME', details: { field: 'length' } })
  t.end()
})
