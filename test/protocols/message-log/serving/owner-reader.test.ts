/** A reader that asks the owner of the store. */
import t from 'tap'
import { systemClock } from '../../../../src/actors/runtime/clock.ts'
import { createAdvances } from '../../../../src/protocols/message-log/engine/advances.ts'
import type { Topic } from '../../../../src/protocols/message-log/engine/contract.ts'
import { OwnerReader } from '../../../../src/protocols/message-log/serving/owner-reader.ts'
import { StoreLink } from '../../../../src/protocols/message-log/serving/store-link.ts'
import { until } from './log-shard.ts'

t.test('who asks for the topics while somebody is asking shares the next ask, not that one', async t => {
  const asks: PromiseWithResolvers<readonly Topic[]>[] = []
  const ask = () => {
    const asked = Promise.withResolvers<readonly Topic[]>()
    asks.push(asked)
    return asked.promise
  }
  const actor = { address: 'log/s0', incarnation: 1, shard: 0, send() {}, onStop() {}, ask }
  const reader = new OwnerReader(new StoreLink(actor, 'log/store', systemClock), createAdvances(), 1_000)
  const first = reader.listTopics()
  await until(() => asks.length === 1)
  const later = Array.from({ length: 100 }, () => reader.listTopics())
  const old: readonly Topic[] = []
  const current: readonly Topic[] = [{ name: 'orders', partitionIds: [1] }]
  asks[0]!.resolve(old)
  t.equal(await first, old)
  await until(() => asks.length === 2)
  asks[1]!.resolve(current)
  for (const list of await Promise.all(later)) t.equal(list, current)
  const refused = reader.listTopics()
  await until(() => asks.length === 3)
  asks[2]!.reject(new Error('scripted'))
  await t.rejects(refused, { message: 'scripted' })
  void reader.listTopics()
  await until(() => asks.length === 4)
})
