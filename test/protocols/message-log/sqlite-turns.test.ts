/** What is done of a store in one turn of the event loop is bounded, however much there is. */
import { join } from 'node:path'
import t from 'tap'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { appendOf } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import { producersATime } from '../../../src/protocols/message-log/engine/sqlite/producer-answers.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { readBatchesMax } from '../../../src/protocols/message-log/engine/taken-batches.ts'
import { newContext, newFolder } from './sqlite-world.ts'

const ever = Number.POSITIVE_INFINITY

/** Turns of the event loop that begin until `done`. */
async function turnsUntil(done: Promise<unknown>): Promise<number> {
  let turns = 0
  let isDone = false
  const ended = done.finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise(resolve => setImmediate(resolve))
    turns++
  }
  await ended
  return turns
}

t.test('retention looks at a few partitions a turn, and only at those that its policy can touch', async t => {
  const engine = await sqliteLogEngine.opener.open({ path: join(newFolder(t), 'log.db') }, newContext())
  t.teardown(() => engine.close())
  const partitionIds: number[] = []
  for (const name of ['a', 'b']) partitionIds.push(...(await engine.createTopic(name, 4_096)).partitionIds)
  const policy = { ageMs: ever, partitionBytesMax: 1, producerAgeMs: ever }
  t.ok((await turnsUntil(engine.retain(policy))) >= partitionIds.length / 128)
  t.ok((await turnsUntil(engine.retain({ ...policy, partitionBytesMax: ever }))) < 5)

  const last = partitionIds.at(-1)!
  for (const value of ['x', 'y']) await engine.append(appendOf(last, [value]))
  t.equal((await engine.retain(policy)).batches, 1, 'and at all of them')
  await engine.deleteTopic('b')
  t.ok((await turnsUntil(engine.retain({ ...policy, partitionBytesMax: ever }))) >= 4_096)
})

t.test('retention removes a few producers a turn, of deleted topics too, and all of them', async t => {
  const clock = createVirtualClock()
  const engine = await sqliteLogEngine.opener.open({ path: join(newFolder(t), 'log.db') }, { ...newContext(), clock })
  t.teardown(() => engine.close())
  const count = 3 * producersATime
  const [id = -1] = (await engine.createTopic('a', 1)).partitionIds
  const append = (partitionId: number, producer: number) =>
    engine.append(appendOf(partitionId, ['x'], { producer: { id: BigInt(producer), sequence: 0 } }))
  const appendAll = (partitionId: number) =>
    Promise.all(Array.from({ length: count }, (_, producer) => append(partitionId, producer)))
  await appendAll(id)
  await clock.advance(1_000)
  const policy = { ageMs: ever, partitionBytesMax: ever, producerAgeMs: 500 }
  const removing = turnsUntil(engine.retain(policy))
  t.equal((await append(id, count)).baseOffset, count, 'others append meanwhile')
  t.ok((await removing) >= 3)
  const again = await Promise.all([0, count / 2, count - 1].map(producer => append(id, producer)))
  const ends = [count + 1, count + 2, count + 3]
  t.same(
    again.map(({ baseOffset }) => baseOffset),
    ends,
    'as new ones',
  )
  t.equal((await append(id, count)).baseOffset, count, 'who was active is kept')

  await engine.deleteTopic('a')
  const [next = -1] = (await engine.createTopic('b', 1)).partitionIds
  await appendAll(next)
  await engine.deleteTopic('b')
  const keepAll = { ...policy, producerAgeMs: ever }
  t.ok((await turnsUntil(engine.retain(keepAll))) >= 3)
  t.ok((await turnsUntil(engine.retain(keepAll))) < 3, 'nothing is left')
})

t.test('a read gives a bounded number of rows, however small', async t => {
  const path = join(newFolder(t), 'log.db')
  const engine = await sqliteLogEngine.opener.open({ path }, newContext())
  t.teardown(() => engine.close())
  const [id = -1] = (await engine.createTopic('a', 1)).partitionIds
  for (let offset = 0; offset < readBatchesMax + 10; offset++) await engine.append(appendOf(id, ['x']))
  t.equal((await engine.read(id, 0, 1_048_576)).batches.length, readBatchesMax)
  t.equal((await engine.read(id, readBatchesMax, 1_048_576)).batches.length, 10)
})
