/** Topics are created as long as all of them together can be listed. */
import t from 'tap'
import { encodeLogResponse, logOperation } from '../../../../src/messages/index.ts'
import type { Topic } from '../../../../src/protocols/message-log/engine/contract.ts'
import { checkTopicRoom } from '../../../../src/protocols/message-log/owner/topic-room.ts'

const topicOf = (name: string, partitions: number): Topic => ({ name, partitionIds: new Array(partitions).fill(7) })
const topics = [topicOf('orders', 3), topicOf('Ωmega', 2)]
const plenty = { partitionsMax: 1_000, frameBytesMax: 1_000_000 }

t.test('partitions of all topics together are counted', async t => {
  checkTopicRoom(topics, 'bills', 4, { ...plenty, partitionsMax: 9 })
  t.throws(() => checkTopicRoom(topics, 'bills', 5, { ...plenty, partitionsMax: 9 }), {
    code: 'BAD_CONFIG',
    message: /partitions would make 10 of all topics together; partitionsMax is 9/,
  })
})

t.test('the list must fit a frame, to the byte', async t => {
  const listed = [...topics, topicOf('bills', 4)].map(({ name, partitionIds }) => ({ name, partitions: partitionIds }))
  const length = encodeLogResponse(logOperation.listTopics, 1, { topics: listed }).length - 4
  checkTopicRoom(topics, 'bills', 4, { ...plenty, frameBytesMax: length })
  t.throws(() => checkTopicRoom(topics, 'bills', 4, { ...plenty, frameBytesMax: length - 1 }), {
    code: 'BAD_CONFIG',
    message: new RegExp(`the list of topics ${length} bytes; frameBytesMax is ${length - 1}`),
  })
})

t.test('of a name that is taken the engine says so', async t => {
  t.doesNotThrow(() => checkTopicRoom(topics, 'orders', 5, { ...plenty, partitionsMax: 9 }))
})
