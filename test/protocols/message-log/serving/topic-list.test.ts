/** The list of topics is made once for each state that they have, and is never longer than a frame may be. */
import t from 'tap'
import { logOperation } from '../../../../src/messages/index.ts'
import type { Topic } from '../../../../src/protocols/message-log/engine/contract.ts'
import { logShard } from './log-shard.ts'
import { ScriptedLink } from './scripted-link.ts'

const { listTopics } = logOperation

t.test('a list that is as it was is not looked into again', async t => {
  const { protocol, engine } = await logShard()
  const link = new ScriptedLink()
  const topics = await engine.listTopics()
  t.equal(await engine.listTopics(), topics)
  let looks = 0
  const counted = topics.map(topic => ({
    ...topic,
    get name() {
      looks++
      return topic.name
    },
  }))
  engine.listTopics = () => counted
  for (let id = 1; id <= 100; id++) link.send(protocol, listTopics, id, {})
  const answers = link.answers(listTopics)
  t.equal(answers.length, 100)
  for (const answer of answers)
    t.match(answer, { ok: true, response: { topics: [{ name: 'orders', partitions: [1] }] } })
  t.equal(looks, 1)
})

t.test('one that has changed is', async t => {
  const { protocol, engine } = await logShard()
  const link = new ScriptedLink()
  const names = () => {
    link.send(protocol, listTopics, 1, {})
    return link.answers(listTopics).map(answer => answer.ok && answer.response.topics.map(({ name }) => name))
  }
  t.same(names(), [['orders']])
  await engine.createTopic('bills', 2)
  t.same(names(), [['orders', 'bills']])
  await engine.deleteTopic('orders')
  t.same(names(), [['bills']])
})

t.test('one that is longer than a frame is answered as an error that says so', async t => {
  const { protocol, engine } = await logShard({ frameBytesMax: 4_096 })
  const link = new ScriptedLink()
  // 15 bytes of header and checksum beside the length, 4 + 6 + 1 of the list, 4 for each partition.
  const listOf = (partitions: number): Topic[] => [{ name: 't', partitionIds: new Array(partitions).fill(1) }]
  engine.listTopics = () => listOf(1_017)
  link.send(protocol, listTopics, 1, {})
  t.match(link.answers(listTopics), [{ ok: true }])
  engine.listTopics = () => listOf(1_018)
  link.send(protocol, listTopics, 2, {})
  const text = 'the list of 1 topics has 4083 bytes, an answer at most 4081 (frameBytesMax)'
  t.match(link.answers(listTopics), [{ requestId: 2, ok: false, errorCode: 7, text }])
  t.equal(link.isOver, false)
})
