/** Fetches that wait for messages: until when, what wakes them, and what they cost. */
import { join } from 'node:path'
import t from 'tap'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { logOperation, readLogEntries } from '../../../../src/messages/index.ts'
import type { LongPoll } from '../../../../src/messages/log/fetch-v1.ts'
import type { LogEngineContext } from '../../../../src/protocols/message-log/engine/contract.ts'
import { sqliteLogEngine } from '../../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { newFolder } from '../sqlite-world.ts'
import { logShard, until } from './log-shard.ts'
import { ScriptedLink } from './scripted-link.ts'

const { fetch } = logOperation

/** A message of one letter, with its offset. */
const letterBytes = 25

async function polling(options = {}) {
  const shard = await logShard(options)
  const link = new ScriptedLink()
  let lastId = 0
  const poll = (longPoll: Partial<LongPoll>, more: { offset?: number; maxBytes?: number; partitionId?: number } = {}) =>
    link.send(shard.protocol, fetch, ++lastId, {
      partitionId: shard.partitionId,
      offset: 0,
      maxBytes: 10_000,
      longPoll: { maxWaitMs: 500, minBytes: 1, ...longPoll },
      ...more,
    })
  /** The answers that have come: id, offsets and texts. */
  const answers = () =>
    link.answers(fetch).map(answer => {
      if (!answer.ok) return [answer.requestId, answer.errorCode]
      const entries = readLogEntries(answer.response.entries)
      return [answer.requestId, ...entries.map(({ offset, value }) => `${offset}:${value}`)]
    })
  return { ...shard, link, poll, answers }
}

t.test('it is not answered empty before its time, and then it is', async t => {
  const { clock, poll, answers, services } = await polling()
  poll({ maxWaitMs: 500 })
  poll({ maxWaitMs: 0 })
  t.same(answers(), [[2]], 'one that waits for no time')
  await clock.advance(499)
  t.same(answers(), [])
  await clock.advance(1)
  t.same(answers(), [[1]])
  t.same([services.polls.count, services.polls.watched, clock.pending], [0, 0, 0])
})

t.test('what is there already is answered at once', async t => {
  const { poll, answers, append, services } = await polling()
  await append('a', 'b')
  poll({ minBytes: 0 })
  poll({ minBytes: 2 * letterBytes })
  poll({ minBytes: 1_000_000 }, { maxBytes: 2 * letterBytes })
  poll({ minBytes: 1_000_000 }, { maxBytes: 2 * letterBytes - 1 })
  poll({ minBytes: 1_000_000 }, { maxBytes: 0 })
  t.same(answers(), [
    [1, '0:a', '1:b'],
    [2, '0:a', '1:b'],
    [3, '0:a', '1:b'],
    [4, '0:a'],
    [5, '0:a'],
  ])
  t.equal(services.polls.count, 0)
})

t.test('a message wakes it', async t => {
  const { poll, answers, append, services, clock } = await polling()
  poll({})
  poll({ minBytes: 0 })
  t.same(answers(), [])
  await append('a')
  await until(() => services.polls.count === 0)
  t.same(answers(), [
    [1, '0:a'],
    [2, '0:a'],
  ])
  poll({}, { offset: 1 })
  await append('b')
  await until(() => services.polls.count === 0)
  t.same(answers(), [[3, '1:b']])
  t.equal(clock.pending, 0)
})

t.test('it waits for as many bytes as it asks for, no more than its answer takes', async t => {
  const { clock, poll, answers, append, services, partitionId, engine } = await polling()
  const seen = async (offset: number) => {
    await engine.whenPast(partitionId, offset - 1, new AbortController().signal)
    await until(() => services.polls.looks >= looks)
  }
  let looks = 0
  poll({ minBytes: 3 * letterBytes })
  poll({ minBytes: 1_000_000 }, { maxBytes: 4 * letterBytes })
  poll({ minBytes: 1_000_000 })
  for (const [index, value] of ['a', 'b'].entries()) {
    looks = services.polls.looks + 1
    await append(value)
    await seen(index + 1)
    t.same(answers(), [])
  }
  await append('c')
  await until(() => services.polls.count === 2)
  t.same(answers(), [[1, '0:a', '1:b', '2:c']])
  await append('d', 'e')
  await until(() => services.polls.count === 1)
  t.same(answers(), [[2, '0:a', '1:b', '2:c', '3:d']])
  await clock.advance(500)
  t.same(answers(), [[3, '0:a', '1:b', '2:c', '3:d', '4:e']], 'too few in its time')
})

t.test('those of one partition share one wait', async t => {
  const { poll, answers, append, services } = await polling()
  for (let index = 0; index < 1_000; index++) poll({})
  t.same([services.polls.count, services.polls.watched], [1_000, 1])
  await append('a')
  await until(() => services.polls.count === 0)
  t.equal(answers().length, 1_000)
  t.equal(services.polls.watched, 0)
})

t.test('a message costs one look, however many wait for more', async t => {
  const { poll, answers, append, services, engine, partitionId } = await polling({ longPollsMax: 20_000 })
  for (let index = 0; index < 10_000; index++) poll({ minBytes: 4 * letterBytes + (index % 3) })
  for (const [index, value] of ['a', 'b', 'c'].entries()) {
    await append(value)
    await engine.whenPast(partitionId, index, new AbortController().signal)
    await until(() => services.polls.looks === index + 1)
  }
  t.same(answers(), [])
  await append('d')
  await until(() => services.polls.count < 10_000)
  await until(() => services.polls.count === 6_666)
  t.equal(answers().length, 3_334)
  t.ok(services.polls.looks < 10, `they share their looks: ${services.polls.looks}`)
  await append('e')
  await until(() => services.polls.count === 0)
  t.same(answers().length, 6_666)
  t.ok(services.polls.looks < 20, `they share their looks: ${services.polls.looks}`)
})

t.test('those whose time is over at once share a look, however many', async t => {
  const { poll, answers, append, services, clock } = await polling()
  await append('a')
  for (let index = 0; index < 1_000; index++) poll({ minBytes: 5_000 })
  t.equal(services.polls.count, 1_000)
  const looksBefore = services.polls.looks
  await clock.advance(500)
  await until(() => services.polls.count === 0)
  const told = answers()
  t.equal(told.length, 1_000)
  t.ok(told.every(([, ...messages]) => messages.join() === '0:a'))
  t.equal(services.polls.looks - looksBefore, 1)
})

t.test('each is answered by the message that brings as many bytes as it waits for', async t => {
  const { poll, answers, append, services } = await polling()
  const random = createRandom(11)
  const below = (count: number): number => Math.floor(random() * count)
  const sizes: number[] = []
  const waiting = new Map<number, { offset: number; wantedBytes: number }>()
  let lastId = 0
  const isEnough = ({ offset, wantedBytes }: { offset: number; wantedBytes: number }) => {
    const behind = sizes.slice(offset)
    return behind.length > 0 && behind.reduce((sum, bytes) => sum + bytes, 0) >= wantedBytes
  }
  for (let round = 0; round < 150; round++) {
    const expected: number[] = []
    for (let count = below(6); count > 0; count--) {
      const [offset, minBytes, maxBytes] = [below(sizes.length + 1), below(600), below(600)]
      poll({ minBytes }, { offset, maxBytes })
      waiting.set(++lastId, { offset, wantedBytes: Math.min(minBytes, maxBytes) })
    }
    for (let count = below(3); count > 0; count--) {
      const value = 'x'.repeat(below(90))
      sizes.push(letterBytes - 1 + value.length)
      await append(value)
    }
    for (const [id, each] of waiting) {
      if (!isEnough(each)) continue
      expected.push(id)
      waiting.delete(id)
    }
    await until(() => services.polls.count <= waiting.size)
    await new Promise(resolve => setImmediate(resolve))
    t.same(
      answers()
        .map(([id]) => id)
        .sort((one, other) => Number(one) - Number(other)),
      expected,
    )
  }
  t.ok(lastId > 300)
})

t.test('nothing is left of those whose connection is lost', async t => {
  const { poll, answers, link, services, clock } = await polling()
  poll({})
  poll({})
  t.same([services.polls.count, services.polls.watched, clock.pending], [2, 1, 1])
  link.lose()
  t.same([services.polls.count, services.polls.watched, clock.pending], [0, 0, 0])
  t.same(answers(), [])
})

t.test('a connection that ends in good order has them answered with what there is', async t => {
  const { poll, answers, link, append } = await polling()
  await append('a')
  poll({ minBytes: 1_000 })
  poll({}, { offset: 1 })
  link.end()
  t.same(answers(), [[1, '0:a'], [2]])
  link.end()
  t.same(answers(), [])
})

t.test('they wait at different offsets, and hear of what becomes of their topic', async t => {
  const { poll, answers, append, engine, services } = await polling()
  await append('a')
  poll({}, { offset: 1 })
  poll({ minBytes: 1_000 })
  await engine.deleteTopic('orders')
  await until(() => services.polls.count === 0)
  t.same(
    answers().sort(([a], [b]) => Number(a) - Number(b)),
    [
      [1, 5],
      [2, 5],
    ],
  )
  poll({}, { partitionId: 77 })
  t.same(answers(), [[3, 5]])
})

t.test('as many may wait as may', async t => {
  const { poll, link } = await polling({ longPollsMax: 1 })
  poll({})
  poll({})
  t.match(link.answers(fetch), [{ requestId: 2, ok: false, errorCode: 7, text: 'as many long polls wait as may: 1' }])
})

t.test('what is less than it waits for is not read', async t => {
  const path = join(newFolder(t), 'log.db')
  let reads = 0
  const { clock, poll, answers, append, services, engine } = await polling({
    openEngine: (context: LogEngineContext) => sqliteLogEngine.opener.open({ path }, context),
    openReader: async (context: LogEngineContext) => {
      const reader = await sqliteLogEngine.opener.openReader!({ path }, context)
      const read = reader.read.bind(reader)
      reader.read = (...range) => {
        reads++
        return read(...range)
      }
      t.teardown(() => reader.close())
      return reader
    },
  })
  t.teardown(() => engine.close())
  for (const value of ['a', 'b', 'c']) await append(value)
  for (const offset of [0, 1, 2]) poll({ minBytes: 4 * letterBytes }, { offset })
  poll({ minBytes: 1_000_000 })
  t.equal(reads, 0)
  t.same(answers(), [])
  await append('d')
  await until(() => services.polls.count === 3)
  t.same(answers(), [[1, '0:a', '1:b', '2:c', '3:d']])
  await append('e')
  await until(() => services.polls.count === 2)
  await clock.advance(500)
  t.same(answers(), [
    [2, '1:b', '2:c', '3:d', '4:e'],
    [3, '2:c', '3:d', '4:e'],
    [4, '0:a', '1:b', '2:c', '3:d', '4:e'],
  ])
  for (let index = 0; index < 300; index++) await append('x')
  poll({ minBytes: 1_000_000 }, { maxBytes: 1_000_000 })
  t.equal(answers()[0]?.length, 1 + 256, 'more than an answer takes is answered at once')
})
