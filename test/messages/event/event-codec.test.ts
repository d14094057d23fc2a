/** Requests and responses of the event protocol, to the byte. */
import t from 'tap'
import { writeEventResponseHeader } from '../../../src/messages/event/response-v1.ts'
import {
  decodeEventRequest,
  decodeEventResponse,
  encodeEventRequest,
  encodeEventResponse,
  eventCommand,
  eventStatus,
} from '../../../src/messages/index.ts'

const request = { raidaId: 2, command: 0x0304, sessionId: 0x05060708, reserved: 0x090a0b0c, body: Buffer.from('hi') }
const requestHex = '0102030405060708000000020' + '90a0b0c6869'
const response = { status: 6, command: 0x0304, sessionId: 0x05060708, body: Buffer.from('hi') }
const responseHex = '010603040506070800000002000000006869'

t.test('golden bytes', t => {
  t.equal(encodeEventRequest(request).toString('hex'), requestHex)
  t.equal(encodeEventResponse(response).toString('hex'), responseHex)
  t.equal(encodeEventRequest({}).toString('hex'), `01${'00'.repeat(15)}`)
  const header = Buffer.alloc(18, 0xee)
  writeEventResponseHeader(header, 1, 6, encodeEventRequest(request), 0, 0x01020304)
  t.equal(header.toString('hex'), 'ee01060304050607080102030400000000ee')
  t.end()
})

t.test('round trip', t => {
  t.same(decodeEventRequest(Buffer.from(requestHex, 'hex')), request)
  t.same(decodeEventResponse(Buffer.from(responseHex, 'hex')), response)
  t.end()
})

t.test('every truncation, trailing bytes and another version are refused', t => {
  for (const [hex, decode] of [
    [requestHex, decodeEventRequest],
    [responseHex, decodeEventResponse],
  ] as const) {
    const bytes = Buffer.from(hex, 'hex')
    for (let at = 0; at < bytes.length; at++) t.throws(() => decode(bytes.subarray(0, at)), { code: 'BAD_FRAME' })
    t.throws(() => decode(Buffer.concat([bytes, Buffer.alloc(1)])), { code: 'BAD_FRAME' })
    for (const version of [0, 2]) {
      bytes[0] = version
      t.throws(() => decode(bytes), { code: 'BAD_FRAME', details: { field: 'version', offset: 0 } })
    }
  }
  t.end()
})

t.test('fields at their limits and one beyond', t => {
  for (const [field, max] of [
    ['raidaId', 0xff],
    ['command', 0xffff],
    ['sessionId', 0xffffffff],
    ['reserved', 0xffffffff],
  ] as const) {
    t.equal(decodeEventRequest(encodeEventRequest({ [field]: max }))[field], max)
    t.throws(() => encodeEventRequest({ [field]: max + 1 }), { code: 'BAD_FRAME', details: { field } })
  }
  t.end()
})

t.test('the numbers of statuses and commands never change', t => {
  t.same(
    Object.entries(eventStatus).map(([name, status]) => `${status} ${name}`),
    [
      '0 ok',
      '1 invalidPacketLength',
      '2 memoryAlloc',
      '3 invalidHeader',
      '4 bodyTooLarge',
      '5 unknownCommand',
      '6 overloaded',
      '7 timeout',
      '8 decryptFailed',
      '9 handlerFailed',
      '10 cookieRequired',
    ],
  )
  t.same(eventCommand, { echo: 0, ping: 1 })
  t.end()
})
