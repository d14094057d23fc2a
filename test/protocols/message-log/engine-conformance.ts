/** The contract of log engines, rule by rule: what every engine is run through. */
import t, { type Test } from 'tap'
import {
  keptAnswersMax,
  type RetentionPolicy,
  topicLimits,
} from '../../../src/protocols/message-log/engine/contract.ts'
import type { EngineKind, EngineWorld } from './engine-world.ts'
import { appendOf, messageHeadBytes, messageOf, valuesIn } from './stored-messages.ts'

const plenty = 1_048_576
const keepAll: RetentionPolicy = {
  ageMs: Number.POSITIVE_INFINITY,
  partitionBytesMax: Number.POSITIVE_INFINITY,
  producerAgeMs: Number.POSITIVE_INFINITY,
}

/** A signal that never aborts. */
const patient = new AbortController().signal

/** Runs every case on a world of its own. */
export function runEngineConformance(kind: EngineKind): void {
  /** `body` gets a world with a topic of one partition. */
  function test(name: string, body: (t: Test, world: EngineWorld, partitionId: number) => Promise<void>): void {
    t.test(`${kind.name}: ${name}`, async t => {
      const world = await kind.open()
      const topic = await world.engine.createTopic('orders', 1)
      try {
        await body(t, world, topic.partitionIds[0]!)
      } finally {
        await world.close()
      }
    })
  }

  test('topics are listed as they were created, with partitions of their own', async (t, { engine, reader }, first) => {
    const bills = await engine.createTopic('bills', 3)
    t.equal(bills.name, 'bills')
    t.equal(new Set([first, ...bills.partitionIds]).size, 4)
    t.same(await reader.listTopics(), [{ name: 'orders', partitionIds: [first] }, bills])
    t.same(await engine.listTopics(), await reader.listTopics())
  })

  test('a topic is created once, and is gone once', async (t, { engine }) => {
    await t.rejects(
      attempt(() => engine.createTopic('orders', 1)),
      { code: 'TOPIC_EXISTS', details: { name: 'orders' } },
    )
    await engine.deleteTopic('orders')
    await t.rejects(
      attempt(() => engine.deleteTopic('orders')),
      { code: 'TOPIC_NOT_FOUND', details: { name: 'orders' } },
    )
    t.same(await engine.listTopics(), [])
  })

  test('names and numbers of partitions have limits', async (t, { engine }) => {
    const { nameBytesMax, partitionsMax } = topicLimits
    const refusedOf = (name: string, partitions: number) =>
      t.rejects(
        attempt(() => engine.createTopic(name, partitions)),
        { code: 'BAD_CONFIG' },
      )
    await refusedOf('', 1)
    await refusedOf('n'.repeat(nameBytesMax + 1), 1)
    await refusedOf('é'.repeat((nameBytesMax + 1) / 2), 1)
    await refusedOf('none', 0)
    await refusedOf('many', partitionsMax + 1)
    await refusedOf('half', 1.5)
    const longest = await engine.createTopic('n'.repeat(nameBytesMax), partitionsMax)
    t.equal(new Set(longest.partitionIds).size, partitionsMax)
    t.equal((await engine.listTopics()).length, 2)
  })

  test('partitions of a deleted topic are gone, and their numbers are not used again', async (t, world, first) => {
    const { engine, reader } = world
    await engine.append(appendOf(first, ['a']))
    await engine.deleteTopic('orders')
    const refused = { code: 'PARTITION_NOT_FOUND', details: { partitionId: first } }
    await t.rejects(
      attempt(() => engine.append(appendOf(first, ['b']))),
      refused,
    )
    for (const each of [engine, reader]) {
      await t.rejects(
        attempt(() => each.read(first, 0, plenty)),
        refused,
      )
      await t.rejects(
        attempt(() => each.highWaterMark(first)),
        refused,
      )
    }
    const again = await engine.createTopic('orders', 1)
    t.not(again.partitionIds[0], first)
    t.equal(await engine.highWaterMark(again.partitionIds[0]!), 0)
    const { batches } = await engine.retain(keepAll)
    t.ok(batches <= 1)
  })

  test('a partition that never was is refused', async (t, { engine, reader }) => {
    for (const partitionId of [4_294_967_295, 0x7fff_ffff]) {
      const refused = { code: 'PARTITION_NOT_FOUND', details: { partitionId } }
      await t.rejects(
        attempt(() => engine.append(appendOf(partitionId, ['a']))),
        refused,
      )
      await t.rejects(
        attempt(() => reader.read(partitionId, 0, plenty)),
        refused,
      )
      await t.rejects(
        attempt(() => reader.highWaterMark(partitionId)),
        refused,
      )
      await t.rejects(reader.whenPast(partitionId, 0, patient), refused)
    }
  })

  test('offsets begin at 0 and go on by one a message', async (t, { engine, reader }, id) => {
    t.equal(await reader.highWaterMark(id), 0)
    t.same(await engine.append(appendOf(id, ['a', 'b'])), { baseOffset: 0, stored: 2 })
    t.same(await engine.append(appendOf(id, ['c'])), { baseOffset: 2, stored: 1 })
    t.equal(await reader.highWaterMark(id), 3)
    const found = await reader.read(id, 0, plenty)
    t.equal(found.highWaterMark, 3)
    t.same(valuesIn(found), ['0:a', '1:b', '2:c'])
    t.same(valuesIn(await engine.read(id, 0, plenty)), ['0:a', '1:b', '2:c'])
  })

  test('messages come back byte for byte, with and without key and value', async (t, { engine, reader }, id) => {
    const key = Buffer.from([0, 255, 7])
    const head = Buffer.alloc(12)
    head.writeBigInt64BE(-5n, 0)
    head.writeInt32BE(key.length, 8)
    const noValue = Buffer.from([255, 255, 255, 255])
    const messages = Buffer.concat([head, key, noValue, messageOf(''), messageOf('x'.repeat(70_000))])
    const sent = Buffer.from(messages)
    await engine.append({ partitionId: id, count: 3, messages, acknowledgement: 'committed' })
    const { batches } = await reader.read(id, 0, plenty)
    t.ok(Buffer.concat(batches.map(({ messages }) => messages)).equals(sent))
    const second = await reader.read(id, 1, 1)
    t.ok(Buffer.from(second.batches[0]!.messages).equals(messageOf('')))
  })

  test('a read may begin in the middle of a batch', async (t, { engine, reader }, id) => {
    await engine.append(appendOf(id, ['a', 'b', 'c']))
    await engine.append(appendOf(id, ['d', 'e']))
    for (const [offset, values] of [
      [1, ['1:b', '2:c', '3:d', '4:e']],
      [2, ['2:c', '3:d', '4:e']],
      [3, ['3:d', '4:e']],
      [4, ['4:e']],
    ] as const) {
      const found = await reader.read(id, offset, plenty)
      t.same(valuesIn(found), values)
      t.equal(found.batches[0]?.baseOffset, offset)
    }
  })

  test('a read at the end is empty, one beyond it is out of range', async (t, { engine, reader }, id) => {
    t.same(await reader.read(id, 0, plenty), { highWaterMark: 0, batches: [] })
    await engine.append(appendOf(id, ['a']))
    t.same(await reader.read(id, 1, plenty), { highWaterMark: 1, batches: [] })
    for (const offset of [2, Number.MAX_SAFE_INTEGER, 2 ** 64]) {
      await t.rejects(
        attempt(() => reader.read(id, offset, plenty)),
        {
          code: 'OFFSET_OUT_OF_RANGE',
          details: { partitionId: id, offset, firstOffset: 0, highWaterMark: 1 },
        },
      )
    }
  })

  test('a read takes messages up to its bytes, each with its offset, and one at least', async (t, world, id) => {
    const { engine, reader } = world
    const fetched = messageHeadBytes + 10 + 8
    await engine.append(appendOf(id, ['0123456789', '0123456789', '0123456789']))
    await engine.append(appendOf(id, ['0123456789', 'longer than a read may be', 'x']))
    for (const [maxBytes, messages] of [
      [0, 1],
      [fetched, 1],
      [2 * fetched - 1, 1],
      [2 * fetched, 2],
      [3 * fetched, 3],
      [4 * fetched - 1, 3],
      [4 * fetched, 4],
      [plenty, 6],
    ] as const) {
      const found = await reader.read(id, 0, maxBytes)
      t.equal(valuesIn(found).length, messages, `${maxBytes} bytes`)
      t.equal(found.highWaterMark, 6)
    }
    t.same(valuesIn(await reader.read(id, 4, 1)), ['4:longer than a read may be'])
  })

  test('reading on from the last offset finds every message once, whatever the bytes', async (t, world, id) => {
    const values = Array.from({ length: 500 }, (_, index) => `${index}-${'v'.repeat((index * 37) % 90)}`)
    for (let at = 0; at < values.length; at += 1 + (at % 23)) {
      await world.engine.append(appendOf(id, values.slice(at, at + 1 + (at % 23))))
    }
    const sent = values.map((value, offset) => `${offset}:${value}`)
    for (const maxBytes of [1, 333, 4_096, plenty]) {
      const found: string[] = []
      while (found.length < sent.length) found.push(...valuesIn(await world.reader.read(id, found.length, maxBytes)))
      t.same(found, sent)
    }
  })

  test('appends made at once are stored in the order of the calls', async (t, { engine, reader }, id) => {
    const other = (await engine.createTopic('others', 1)).partitionIds[0]!
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) => engine.append(appendOf(index % 4 === 3 ? other : id, [`${index}`]))),
    )
    t.same(
      results.filter((_, index) => index % 4 !== 3).map(({ baseOffset }) => baseOffset),
      Array.from({ length: 150 }, (_, index) => index),
    )
    const wanted = Array.from({ length: 200 }, (_, index) => index).filter(index => index % 4 !== 3)
    t.same(
      valuesIn(await reader.read(id, 0, plenty)),
      wanted.map((index, offset) => `${offset}:${index}`),
    )
    t.equal(await reader.highWaterMark(other), 50)
  })

  test('a batch of megabytes is whole, and so are those around it', async (t, { engine, reader }, id) => {
    const big = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(20_000, '.'))
    await Promise.all([
      engine.append(appendOf(id, ['before'])),
      engine.append(appendOf(id, big)),
      engine.append(appendOf(id, ['after'])),
    ])
    const found = valuesIn(await reader.read(id, 0, 16 * plenty))
    t.same(
      found,
      ['before', ...big, 'after'].map((value, offset) => `${offset}:${value}`),
    )
    t.same(valuesIn(await reader.read(id, 301, plenty)), ['301:after'])
    t.equal(valuesIn(await reader.read(id, 200, 1)).length, 1)
  })

  for (const acknowledgement of ['received', 'committed', 'flushed'] as const) {
    test(`an append that is to be ${acknowledgement} is read back`, async (t, { engine, reader }, id) => {
      const results = await Promise.all([
        engine.append(appendOf(id, ['a'], { acknowledgement })),
        engine.append(appendOf(id, ['b', 'c'], { acknowledgement })),
      ])
      t.same(results, [
        { baseOffset: 0, stored: 1 },
        { baseOffset: 1, stored: 2 },
      ])
      if (acknowledgement === 'received') await reader.whenPast(id, 2, patient)
      t.same(valuesIn(await reader.read(id, 0, plenty)), ['0:a', '1:b', '2:c'])
    })
  }

  test('a batch without messages is refused', async (t, { engine, reader }, id) => {
    const refused = { code: 'BAD_CONFIG' }
    await t.rejects(
      attempt(() => engine.append(appendOf(id, []))),
      refused,
    )
    await t.rejects(
      attempt(() => engine.append(appendOf(id, ['a'], { count: 0 }))),
      refused,
    )
    const producers = [
      { id: -1n, sequence: 0 },
      { id: 2n ** 64n, sequence: 0 },
      { id: 0n, sequence: 2 ** 32 },
    ]
    for (const producer of producers) {
      await t.rejects(
        attempt(() => engine.append(appendOf(id, ['a'], { producer }))),
        refused,
      )
    }
    t.equal(await reader.highWaterMark(id), 0)
  })

  test('a repeat is answered as the first was, and stores nothing', async (t, { engine, reader }, id) => {
    const producer = { id: 2n ** 64n - 1n, sequence: 0 }
    await engine.append(appendOf(id, ['before']))
    const first = await engine.append(appendOf(id, ['a', 'b'], { producer }))
    t.same(first, { baseOffset: 1, stored: 2 })
    await engine.append(appendOf(id, ['c']))
    for (const acknowledgement of ['received', 'committed', 'flushed'] as const) {
      t.same(await engine.append(appendOf(id, ['a', 'b'], { producer, acknowledgement })), first)
    }
    t.same(valuesIn(await reader.read(id, 0, plenty)), ['0:before', '1:a', '2:b', '3:c'])
  })

  test('a repeat of an append in hand waits for it and gets its answer', async (t, { engine, reader }, id) => {
    for (const [round, acknowledgement] of (['received', 'committed', 'flushed'] as const).entries()) {
      const append = appendOf(id, ['a', 'b'], { producer: { id: 5n, sequence: round }, acknowledgement })
      const answers = await Promise.all([
        engine.append(append),
        engine.append({ ...append, acknowledgement: 'committed' }),
        engine.append({ ...append, acknowledgement: 'flushed' }),
      ])
      t.same(answers, Array(3).fill({ baseOffset: 2 * round, stored: 2 }))
      t.equal(await reader.highWaterMark(id), 2 * round + 2)
    }
  })

  test('producers and partitions have sequences of their own', async (t, { engine }, id) => {
    const other = (await engine.createTopic('others', 1)).partitionIds[0]!
    const append = (partitionId: number, producerId: bigint, sequence: number) =>
      engine.append(appendOf(partitionId, ['a'], { producer: { id: producerId, sequence } }))
    t.equal((await append(id, 1n, 0)).baseOffset, 0)
    t.equal((await append(id, 2n, 0)).baseOffset, 1)
    t.equal((await append(id, 1n, 1)).baseOffset, 2)
    t.equal((await append(other, 1n, 0)).baseOffset, 0)
    t.equal((await append(other, 1n, 1)).baseOffset, 1)
    t.equal((await append(id, 2n, 0)).baseOffset, 1)
    t.equal(await engine.highWaterMark(id), 3)
  })

  test('sequences may overtake each other', async (t, { engine }, id) => {
    const append = (sequence: number) => engine.append(appendOf(id, ['a'], { producer: { id: 1n, sequence } }))
    const order = [3, 0, 4_294_967_295, 2, 1]
    for (const [offset, sequence] of order.entries()) t.equal((await append(sequence)).baseOffset, offset)
    for (const [offset, sequence] of order.entries()) t.equal((await append(sequence)).baseOffset, offset)
    t.equal(await engine.highWaterMark(id), order.length)
  })

  test('the last answers of a producer are kept, and older repeats are refused', async (t, { engine }, id) => {
    const append = (sequence: number) => engine.append(appendOf(id, ['a'], { producer: { id: 1n, sequence } }))
    for (let sequence = 0; sequence <= keptAnswersMax; sequence++) await append(sequence)
    await t.rejects(
      attempt(() => append(0)),
      {
        code: 'STORAGE_FAILED',
        handled: 'unknown',
        details: { reason: 'sequenceExpired' },
      },
    )
    for (const sequence of [1, 2, keptAnswersMax]) t.equal((await append(sequence)).baseOffset, sequence)
    t.equal(await engine.highWaterMark(id), keptAnswersMax + 1)
  })

  test('a wait ends with the first message past its offset', async (t, { engine, reader }, id) => {
    const order: string[] = []
    const first = reader.whenPast(id, 0, patient).then(() => order.push('first'))
    const second = reader.whenPast(id, 1, patient).then(() => order.push('second'))
    const ofEngine = engine.whenPast(id, 0, patient)
    await engine.append(appendOf(id, ['a']))
    await Promise.all([first, ofEngine])
    t.same(order, ['first'])
    t.equal(await reader.highWaterMark(id), 1)
    await engine.append(appendOf(id, ['b']))
    await second
    t.same(order, ['first', 'second'])
    await reader.whenPast(id, 0, patient)
  })

  test('other partitions wake nobody in vain', async (t, { engine, reader }, id) => {
    const others = (await engine.createTopic('others', 1_200)).partitionIds
    const abort = new AbortController()
    let settled = false
    const wait = reader.whenPast(id, 0, abort.signal).then(() => {
      settled = true
    })
    for (const other of others) await engine.append(appendOf(other, ['a']))
    await reader.whenPast(others.at(-1)!, 0, patient)
    t.notOk(settled)
    await engine.append(appendOf(id, ['a']))
    await wait
    t.ok(settled)
  })

  test('a wait ends when its signal aborts, and one that comes aborted at once', async (t, { reader }, id) => {
    const abort = new AbortController()
    const wait = reader.whenPast(id, 0, abort.signal)
    abort.abort()
    await wait
    await reader.whenPast(id, 0, abort.signal)
    t.equal(await reader.highWaterMark(id), 0)
  })

  test('a wait is refused when its topic is deleted, and when its reader closes', async (t, world, id) => {
    const { engine, reader } = world
    const kept = (await engine.createTopic('kept', 1)).partitionIds[0]!
    const waits = [reader.whenPast(id, 0, patient), engine.whenPast(id, 0, patient)]
    const refused = Promise.all(waits.map(wait => t.rejects(wait, { code: 'PARTITION_NOT_FOUND' })))
    await engine.deleteTopic('orders')
    await refused
    const closed = t.rejects(reader.whenPast(kept, 0, patient), closedError)
    await reader.close()
    await closed
  })

  test('retention by age removes the oldest batches, and offsets stay as they are', async (t, world, id) => {
    const { clock, engine, reader } = world
    await engine.append(appendOf(id, ['a', 'b']))
    await clock.advance(1_000)
    await engine.append(appendOf(id, ['c']))
    await clock.advance(1_000)
    await engine.append(appendOf(id, ['d']))
    t.same(await engine.retain({ ...keepAll, ageMs: 2_000 }), { batches: 0, bytes: 0 })
    const removed = await engine.retain({ ...keepAll, ageMs: 1_999 })
    t.same(removed, { batches: 1, bytes: 2 * (messageHeadBytes + 1) })
    for (const offset of [0, 1]) {
      await t.rejects(
        attempt(() => reader.read(id, offset, plenty)),
        {
          code: 'OFFSET_OUT_OF_RANGE',
          details: { firstOffset: 2, highWaterMark: 4 },
        },
      )
    }
    t.same(valuesIn(await reader.read(id, 2, plenty)), ['2:c', '3:d'])
    t.equal((await engine.append(appendOf(id, ['e']))).baseOffset, 4)
  })

  test('retention by size keeps what fits, for each partition', async (t, { engine, reader }, id) => {
    const other = (await engine.createTopic('others', 1)).partitionIds[0]!
    const bytes = messageHeadBytes + 4
    for (const value of ['aaaa', 'bbbb', 'cccc', 'dddd']) await engine.append(appendOf(id, [value]))
    await engine.append(appendOf(other, ['aaaa']))
    const policy = { ...keepAll, partitionBytesMax: 2 * bytes + 1 }
    t.same(await engine.retain(policy), { batches: 2, bytes: 2 * bytes })
    t.same(await engine.retain(policy), { batches: 0, bytes: 0 })
    t.same(valuesIn(await reader.read(id, 2, plenty)), ['2:cccc', '3:dddd'])
    t.same(valuesIn(await reader.read(other, 0, plenty)), ['0:aaaa'])
  })

  test('the newest batch is never removed, so that offsets go on', async (t, { clock, engine, reader }, id) => {
    const policy = { ageMs: 0, partitionBytesMax: 0, producerAgeMs: 0 }
    t.same(await engine.retain(policy), { batches: 0, bytes: 0 })
    await engine.append(appendOf(id, ['a']))
    await engine.append(appendOf(id, ['b', 'c']))
    await clock.advance(10_000)
    t.equal((await engine.retain(policy)).batches, 1)
    t.same(valuesIn(await reader.read(id, 1, plenty)), ['1:b', '2:c'])
    t.equal((await engine.append(appendOf(id, ['d']))).baseOffset, 3)
  })

  test('removing thousands of batches leaves room for appends meanwhile', async (t, { clock, engine, reader }, id) => {
    for (let index = 0; index < 1_500; index++) await engine.append(appendOf(id, [`${index}`]))
    await clock.advance(10)
    const removal = engine.retain({ ...keepAll, ageMs: 5 })
    t.equal((await engine.append(appendOf(id, ['new']))).baseOffset, 1_500)
    const { batches } = await removal
    t.ok(batches >= 1_499)
    t.same(valuesIn(await reader.read(id, 1_500, plenty)), ['1500:new'])
    await t.rejects(
      attempt(() => reader.read(id, 1_498, plenty)),
      { code: 'OFFSET_OUT_OF_RANGE' },
    )
  })

  test('answers of producers are forgotten at their age', async (t, { clock, engine }, id) => {
    const append = (producerId: bigint, sequence: number) =>
      engine.append(appendOf(id, ['a'], { producer: { id: producerId, sequence } }))
    await append(1n, 0)
    await append(2n, 0)
    await clock.advance(600)
    await append(2n, 1)
    await clock.advance(600)
    await engine.retain({ ...keepAll, producerAgeMs: 1_000 })
    t.equal((await append(1n, 0)).baseOffset, 3)
    t.equal((await append(2n, 0)).baseOffset, 1)
  })

  test('what comes after the close is refused, and closing again is not', async (t, { engine, reader }, id) => {
    await engine.append(appendOf(id, ['a']))
    const waits = [engine.whenPast(id, 1, patient)]
    const refusedWaits = Promise.all(waits.map(wait => t.rejects(wait, closedError)))
    await engine.close()
    await refusedWaits
    await engine.close()
    await reader.close()
    await t.rejects(
      attempt(() => engine.append(appendOf(id, ['a']))),
      { ...closedError, handled: 'no' },
    )
    await t.rejects(
      attempt(() => engine.createTopic('bills', 1)),
      closedError,
    )
    await t.rejects(
      attempt(() => engine.deleteTopic('orders')),
      closedError,
    )
    await t.rejects(engine.retain(keepAll), closedError)
    for (const each of [engine, reader]) {
      await t.rejects(
        attempt(() => each.listTopics()),
        closedError,
      )
      await t.rejects(
        attempt(() => each.highWaterMark(id)),
        closedError,
      )
      await t.rejects(
        attempt(() => each.read(id, 0, plenty)),
        closedError,
      )
      await t.rejects(each.whenPast(id, 0, patient), closedError)
    }
  })

  test('an append in hand when it closes is stored, or refused', async (t, { engine, reader }, id) => {
    const appends = Promise.allSettled(['a', 'b'].map(value => engine.append(appendOf(id, [value]))))
    const closing = engine.close()
    const settled = await appends
    await closing
    t.equal(settled.length, 2)
    for (const outcome of settled) {
      if (outcome.status === 'rejected') t.match(outcome.reason, closedError)
    }
    await reader.close()
  })

  if (kind.outlivesClose) runReopening(test)
}

/** The cases of engines whose store outlives them. */
function runReopening(
  test: (name: string, body: (t: Test, world: EngineWorld, partitionId: number) => Promise<void>) => void,
): void {
  test('topics, messages and offsets are there when it is opened again', async (t, world, id) => {
    const bills = await world.engine.createTopic('bills', 2)
    await world.engine.createTopic('gone', 2)
    await world.engine.append(appendOf(id, ['a', 'b']))
    await world.engine.append(appendOf(id, ['c'], { acknowledgement: 'flushed' }))
    await world.engine.deleteTopic('gone')
    const again = await world.reopen()
    try {
      t.same(await again.reader.listTopics(), [{ name: 'orders', partitionIds: [id] }, bills])
      t.same(valuesIn(await again.reader.read(id, 1, plenty)), ['1:b', '2:c'])
      t.equal((await again.engine.append(appendOf(id, ['d']))).baseOffset, 3)
      t.equal(await again.reader.highWaterMark(bills.partitionIds[0]!), 0)
      const fresh = await again.engine.createTopic('fresh', 1)
      t.ok(fresh.partitionIds[0]! > bills.partitionIds[1]! + 2)
    } finally {
      await again.close()
    }
  })

  test('a repeat is known over a reopening, with all answers that are kept', async (t, world, id) => {
    const append = (of: EngineWorld, sequence: number) =>
      of.engine.append(appendOf(id, ['a', 'b'], { producer: { id: 2n ** 63n, sequence } }))
    for (let sequence = 0; sequence <= keptAnswersMax; sequence++) await append(world, sequence)
    const again = await world.reopen()
    try {
      t.same(await append(again, 1), { baseOffset: 2, stored: 2 })
      t.same(await append(again, keptAnswersMax), { baseOffset: 2 * keptAnswersMax, stored: 2 })
      await t.rejects(
        attempt(() => append(again, 0)),
        { code: 'STORAGE_FAILED', details: { reason: 'sequenceExpired' } },
      )
      t.equal((await append(again, keptAnswersMax + 1)).baseOffset, 2 * keptAnswersMax + 2)
      t.same(await append(again, 2), { baseOffset: 4, stored: 2 })
    } finally {
      await again.close()
    }
  })

  test('what was removed stays removed over a reopening', async (t, world, id) => {
    await world.engine.append(appendOf(id, ['a']))
    await world.engine.append(appendOf(id, ['b']))
    await world.engine.retain({ ...keepAll, partitionBytesMax: 1 })
    const again = await world.reopen()
    try {
      await t.rejects(
        attempt(() => again.reader.read(id, 0, plenty)),
        { code: 'OFFSET_OUT_OF_RANGE' },
      )
      t.equal((await again.engine.retain({ ...keepAll, partitionBytesMax: messageHeadBytes + 1 })).batches, 0)
      t.equal((await again.engine.append(appendOf(id, ['c']))).baseOffset, 2)
      const removed = await again.engine.retain({ ...keepAll, partitionBytesMax: messageHeadBytes + 1 })
      t.same(removed, { batches: 1, bytes: messageHeadBytes + 1 })
    } finally {
      await again.close()
    }
  })

  test('appends in hand when it closes are committed', async (t, world, id) => {
    const appends = [
      world.engine.append(appendOf(id, ['a'], { acknowledgement: 'received' })),
      world.engine.append(appendOf(id, ['b'])),
    ]
    const again = await world.reopen()
    try {
      t.same(await Promise.all(appends), [
        { baseOffset: 0, stored: 1 },
        { baseOffset: 1, stored: 1 },
      ])
      t.same(valuesIn(await again.reader.read(id, 0, plenty)), ['0:a', '1:b'])
    } finally {
      await again.close()
    }
  })
}

const closedError = { code: 'STORAGE_FAILED', details: { reason: 'closed' } }

/** What a call throws or rejects with, as a promise. */
async function attempt<T>(call: () => T | Promise<T>): Promise<T> {
  return call()
}
