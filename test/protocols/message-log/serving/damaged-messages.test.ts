/** Whatever an engine gives, an answer is made of nothing else: stored messages that are not whole are answered as an error. */
import t, { type Test } from 'tap'
import { logOperation } from '../../../../src/messages/index.ts'
import { messageOf } from '../../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { StoredBatch } from '../../../../src/protocols/message-log/engine/contract.ts'
import { takenBatches } from '../../../../src/protocols/message-log/engine/taken-batches.ts'
import { logShard, until } from './log-shard.ts'
import { ScriptedLink } from './scripted-link.ts'

const { fetch } = logOperation
const valueLenAt = 12

/** Three messages, of which the second was damaged; or more, or fewer, than there are said to be. */
const damaged: Readonly<Record<string, () => StoredBatch>> = {
  'a length beyond the end': () => damagedBatch(1_048_576),
  'a length that is too short': () => damagedBatch(0),
  'a length that leads back': () => damagedBatch(-16),
  'a length that leads far back': () => damagedBatch(-2_000_000_000),
  'too few messages': () => ({ baseOffset: 0, count: 3, messages: messageOf('one') }),
  'too many messages': () => ({ baseOffset: 0, count: 1, messages: Buffer.concat([messageOf('one'), messageOf('b')]) }),
  'part of a message': () => ({ baseOffset: 0, count: 1, messages: messageOf('one').subarray(0, 17) }),
}

function damagedBatch(valueLen: number): StoredBatch {
  const second = messageOf('second')
  second.writeInt32BE(valueLen, valueLenAt)
  return { baseOffset: 0, count: 3, messages: Buffer.concat([messageOf('first'), second, messageOf('third')]) }
}

async function shardThatReads(batch: StoredBatch) {
  const shard = await logShard()
  await shard.append('one', 'two', 'three')
  shard.engine.read = () => ({ highWaterMark: 3, batches: [batch] })
  return { ...shard, link: new ScriptedLink() }
}

function refused(t: Test, link: ScriptedLink): void {
  t.match(link.answers(fetch), [
    { requestId: 1, ok: false, errorCode: 7, text: /stored message at offset \d is not whole/ },
  ])
  t.equal(link.isOver, false)
}

for (const [name, batch] of Object.entries(damaged)) {
  t.test(`${name} is an error of the storage`, async t => {
    const { protocol, link, partitionId } = await shardThatReads(batch())
    link.send(protocol, fetch, 1, { partitionId, offset: 0, maxBytes: 1_000 })
    refused(t, link)
  })

  t.test(`${name} is one for who has waited too`, async t => {
    const { protocol, link, partitionId, clock } = await shardThatReads(batch())
    const longPoll = { maxWaitMs: 50, minBytes: 1_000 }
    link.send(protocol, fetch, 1, { partitionId, offset: 0, maxBytes: 1_000, longPoll })
    await clock.advance(50)
    await until(() => link.waiters.size === 0)
    refused(t, link)
  })
}

t.test('a batch that is taken in part is walked to its end, not beyond it', async t => {
  for (const valueLen of [1_048_576, -16, -2_000_000_000]) {
    t.throws(() => takenBatches([damagedBatch(valueLen)], 2, 1_000), { code: 'BAD_FRAME', message: /offsets 0 to 2/ })
    t.throws(() => takenBatches([damagedBatch(valueLen)], 0, 60), { code: 'BAD_FRAME', message: /is not whole/ })
  }
})
