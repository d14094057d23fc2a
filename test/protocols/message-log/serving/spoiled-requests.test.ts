/** Requests whose flags and payloads were spoiled, their checksums right again: each is answered once, by its id, whatever it says. */
import t from 'tap'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { encodeLogBatch, encodeLogRequest, logOperation } from '../../../../src/messages/index.ts'
import { sealLogFrame } from '../../../../src/messages/log/frame.ts'
import { textMessage } from '../../../services/fixtures/served-log.ts'
import { askEngine, logShard, until } from './log-shard.ts'
import { ScriptedLink } from './scripted-link.ts'

const { produce, fetch, getOffset, createTopic, deleteTopic, listTopics, healthCheck } = logOperation

const batch = encodeLogBatch(['one', 'two'].map(textMessage))
const longPoll = { maxWaitMs: 50, minBytes: 1 }
const sound: readonly ((id: number, partitionId: number) => Buffer)[] = [
  (id, partitionId) => encodeLogRequest(produce, id, { partitionId, acknowledgement: 'committed', batch }),
  (id, partitionId) => {
    const producer = { producerId: 7n, sequence: id }
    return encodeLogRequest(produce, id, { partitionId, acknowledgement: 'received', producer, batch })
  },
  (id, partitionId) => encodeLogRequest(fetch, id, { partitionId, offset: 0, maxBytes: 100 }),
  (id, partitionId) => encodeLogRequest(fetch, id, { partitionId, offset: 0, maxBytes: 100, longPoll }),
  (id, partitionId) => encodeLogRequest(getOffset, id, { partitionId }),
  id => encodeLogRequest(createTopic, id, { name: `t${id}`, partitions: 2 }),
  id => encodeLogRequest(deleteTopic, id, { name: 'none' }),
  id => encodeLogRequest(listTopics, id, {}),
  id => encodeLogRequest(healthCheck, id, {}),
]

/** Where type, version, flags and payload are. */
const spoiltFrom = 12

t.test('each is answered once, and none ends the connection', async t => {
  const { protocol, partitionId, engine, clock, services } = await logShard({
    ask: engine => async event => {
      if (event.type === 'store.createTopic') return engine.createTopic(event.name, event.partitions)
      if (event.type === 'store.deleteTopic') return engine.deleteTopic(event.name)
      return askEngine(engine)(event, 1_000)
    },
  })
  const link = new ScriptedLink()
  const random = createRandom(7)
  const below = (count: number): number => Math.floor(random() * count)
  const asked: number[] = []
  for (let id = 1; id <= 3_000; id++) {
    const bytes = sound[below(sound.length)]!(id, partitionId)
    for (let turns = below(4); turns > 0; turns--) {
      const room = bytes.length - 4 - spoiltFrom
      bytes[spoiltFrom + below(room)] = random() < 0.5 ? below(256) : below(4)
    }
    sealLogFrame(bytes, 0, bytes.length)
    link.sendBytes(protocol, bytes)
    asked.push(id)
    if (id % 100 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  // What waits longer than a few seconds, by what its spoilt payload says, is let go of.
  await until(() => services.polls.count === link.waiters.size)
  await clock.advance(50)
  link.end()
  await until(() => link.waiters.size === 0)
  t.equal(link.isOver, false)
  t.same(
    link.ids().sort((one, other) => one - other),
    asked,
  )
  t.ok((await engine.highWaterMark(partitionId)) > 0)
})
