/** What is done of a store in one turn of the event loop is bounded, however much there is. */
import { join } from 'node:path'
import t from 'tap'
import { appendOf } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
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

t.test('a read gives a bounded number of rows, however small', async t => {
  const path = join(newFolder(t), 'log.db')
  const engine = await sqliteLogEngine.opener.open({ path }, newContext())
  t.teardown(() => engine.close())
  const [id = -1] = (await engine.createTopic('a', 1)).partitionIds
  for (let offset = 0; offset < readBatchesMax + 10; offset++) await engine.append(appendOf(id, ['x']))
  t.equal((await engine.read(id, 0, 1_048_576)).batches.length, readBatchesMax)
  t.equal((await engine.read(id, readBatchesMax, 1_048_576)).batches.length, 10)
})
