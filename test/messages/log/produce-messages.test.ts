import t from 'tap'
import { encodeLogBatch, type LogMessage } from '../../../src/messages/index.ts'
import type { ProduceTerms } from '../../../src/messages/log/produce-v1.ts'
import { produceMessagesV1, produceV1 } from '../../../src/messages/log/produce-v1.ts'
import { encodeLogRequest } from '../../../src/messages/log/request.ts'

const bodies = [null, Buffer.alloc(0), Buffer.from('k'), Buffer.alloc(100, 'v'), Buffer.alloc(3_000, 'w')]
const messages: readonly LogMessage[] = bodies.flatMap((key, at) =>
  bodies.map(value => ({ timestampMs: (at - 1) * 1_700_000_000_000, key, value })),
)
const producer = { producerId: 0xfedcba9876543210n, sequence: 5 }

t.test('messages that are written straight into a request make the frame that their batch makes', async t => {
  for (const acknowledgement of ['committed', 'received', 'flushed'] as const) {
    for (const terms of [
      { partitionId: 7, acknowledgement },
      { partitionId: 0, acknowledgement, producer },
    ]) {
      for (const sent of [messages, ...messages.map(message => [message])]) {
        const whole = encodeLogRequest(produceV1, 9, { ...terms, batch: encodeLogBatch(sent) })
        t.ok(encodeLogRequest(produceMessagesV1, 9, { ...terms, messages: sent }).equals(whole))
      }
    }
  }
})

t.test('terms and messages that do not fit are refused by name', async t => {
  const [message] = messages as [LogMessage]
  const terms: ProduceTerms = { partitionId: 1, acknowledgement: 'committed' }
  const wrong = [
    ['partitionId', { ...terms, partitionId: -1, messages }],
    ['acknowledgement', { ...terms, acknowledgement: 'never' as 'received', messages }],
    ['count', { ...terms, messages: [] }],
    ['timestampMs', { ...terms, messages: [message, { ...message, timestampMs: 0.5 }] }],
    ['sequence', { ...terms, producer: { ...producer, sequence: -1 }, messages }],
    ['producerId', { ...terms, producer: { ...producer, producerId: -1n }, messages }],
  ] as const
  for (const [field, request] of wrong) {
    t.throws(() => produceMessagesV1.requestBytes(request), { code: 'BAD_FRAME', details: { field } })
  }
})
