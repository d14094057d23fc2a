/** Several nodes have one log in JetStream open at once, and each may do everything. */
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import t, { type Test } from 'tap'
import { patient, plenty } from '../../../src/protocols/message-log/engine/conformance/checks.ts'
import { appendOf, valuesIn } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import { keptAnswersMax, type LogEngine } from '../../../src/protocols/message-log/engine/contract.ts'
import { storeNames } from '../../../src/protocols/message-log/engine/jetstream/names.ts'
import { attempt } from './attempt.ts'
import { newStore, openNode, openReader } from './jetstream-world.ts'
import { type Acknowledged, checkAccount } from './log-account.ts'
import { skipWithoutNats, startNats } from './nats-server.ts'

const skip = skipWithoutNats()
if (skip !== false) {
  t.plan(0, skip)
} else {
  const nats = await startNats()
  t.teardown(() => nats.close())

  interface Pair {
    readonly store: string
    readonly first: LogEngine
    readonly second: LogEngine
    readonly partitionId: number
  }

  /** Declares a case on a log of its own that two nodes have open. */
  const onTwoNodes = (name: string, body: (t: Test, pair: Pair) => Promise<void>): void => {
    t.test(name, async t => {
      const store = newStore()
      const options = { servers: nats.address, store }
      const [first, second] = await Promise.all([openNode(options), openNode(options)])
      const [partitionId = -1] = (await first.createTopic('orders', 1)).partitionIds
      try {
        await body(t, { store, first, second, partitionId })
      } finally {
        await Promise.all([first.close(), second.close()])
      }
    })
  }

  onTwoNodes('topics that both create at once are created once, with numbers of their own', async (t, pair) => {
    const { first, second } = pair
    const names = Array.from({ length: 20 }, (_, index) => `topic ${index}.*>`)
    const created = await Promise.allSettled(
      names.flatMap(name => [first.createTopic(name, 2), second.createTopic(name, 3)]),
    )
    const topics = created.flatMap(outcome => (outcome.status === 'fulfilled' ? outcome.value : []))
    for (const outcome of created)
      if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'TOPIC_EXISTS', handled: /^no$/ })
    t.same(topics.map(({ name }) => name).sort(), names.toSorted())
    const ids = topics.flatMap(({ partitionIds }) => partitionIds)
    t.equal(new Set([...ids, pair.partitionId]).size, ids.length + 1)
    t.same(await first.listTopics(), await second.listTopics())

    await Promise.all(names.map((name, index) => (index % 2 === 0 ? first : second).deleteTopic(name)))
    t.equal((await second.listTopics()).length, 1)
    const again = await second.createTopic(names[0]!, 1)
    t.ok(again.partitionIds[0]! > Math.max(...ids))
    t.same(await first.listTopics(), await second.listTopics())
  })

  onTwoNodes('both append to one partition at once: offsets are true and nothing is there twice', async (t, pair) => {
    const acknowledged: Acknowledged[] = []
    const asking = await connect({ servers: nats.address })
    let asked = 0
    asking.subscribe(storeNames(pair.store).turns, { callback: () => void asked++ })
    await asking.flush()
    let next = 0
    const work = async (name: string, engine: LogEngine): Promise<void> => {
      while (next < 400) {
        const number = next++
        const values = Array.from({ length: 1 + (number % 7) }, (_, index) => `${name} ${number} ${index}`)
        const result = await engine.append(appendOf(pair.partitionId, values))
        acknowledged.push({ ...result, values })
      }
    }
    const workers = Array.from({ length: 8 }, (_, index) => [
      work(`first/${index}`, pair.first),
      work(`second/${index}`, pair.second),
    ])
    await Promise.all(workers.flat())
    t.equal(acknowledged.length, 400)
    for (const name of ['first', 'second']) t.ok(acknowledged.some(({ values }) => values[0]!.startsWith(name)))
    await checkAccount(t, pair.first, pair.partitionId, acknowledged)
    t.ok(asked > 0, `${asked} times one asked the other for a turn`)
    await asking.close()
  })

  onTwoNodes('a node that appends without end lets another in', async (t, { first, second, partitionId }) => {
    const acknowledged: Acknowledged[] = []
    const keepBusy = { on: true }
    const busy = Array.from({ length: 4 }, async (_, worker) => {
      for (let round = 0; keepBusy.on; round++) {
        const values = Array.from({ length: 200 }, (_, index) => `${worker} ${round} ${index}`)
        acknowledged.push({ ...(await first.append(appendOf(partitionId, values))), values })
      }
    })
    await first.whenPast(partitionId, 1_000, patient)
    for (let round = 0; round < 5; round++) {
      const values = [`other ${round}`]
      acknowledged.push({ ...(await second.append(appendOf(partitionId, values))), values })
    }
    keepBusy.on = false
    await Promise.all(busy)
    await checkAccount(t, second, partitionId, acknowledged)
  })

  onTwoNodes('a repeat is known to every node, and to one that comes later', async (t, pair) => {
    const { store, first, second, partitionId } = pair
    const append = (engine: LogEngine, sequence: number) =>
      engine.append(appendOf(partitionId, ['a', 'b', 'c'], { producer: { id: 7n, sequence } }))
    const answerTo = (sequence: number) => ({ baseOffset: 4 * sequence + 1, stored: 3 })
    for (let sequence = 0; sequence < 100; sequence++) {
      const engine = sequence % 3 === 0 ? second : first
      // What is between keeps the other from trying at the same place by chance.
      await engine.append(appendOf(partitionId, ['between']))
      t.same(await append(engine, sequence), answerTo(sequence))
      t.same(await append(engine === first ? second : first, sequence), answerTo(sequence))
    }
    const third = await openNode({ servers: nats.address, store })
    try {
      for (const sequence of [100 - keptAnswersMax, 99])
        for (const engine of [first, second, third]) t.same(await append(engine, sequence), answerTo(sequence))
      await t.rejects(
        attempt(() => append(third, 99 - keptAnswersMax)),
        { code: 'STORAGE_FAILED', handled: 'unknown', details: { reason: 'sequenceExpired' } },
      )
      t.equal(await third.highWaterMark(partitionId), 400)
    } finally {
      await third.close()
    }
  })

  onTwoNodes('an append that both are sent at once is stored once', async (t, { first, second, partitionId }) => {
    for (let sequence = 0; sequence < 60; sequence++) {
      const request = appendOf(partitionId, [`${sequence}`, '+'], { producer: { id: 1n, sequence } })
      const [one, other] = await Promise.all([first.append(request), second.append(request)])
      t.same(one, { baseOffset: 2 * sequence, stored: 2 })
      t.same(other, one)
    }
    t.equal(await first.highWaterMark(partitionId), 120)
  })

  onTwoNodes('what one appends wakes who waits at the other, and its readers', async (t, pair) => {
    const { store, first, second, partitionId } = pair
    const reader = await openReader({ servers: nats.address, store })
    try {
      for (let offset = 0; offset < 10; offset++) {
        const waits = [second.whenPast(partitionId, offset, patient), reader.whenPast(partitionId, offset, patient)]
        await first.append(appendOf(partitionId, [`${offset}`]))
        await Promise.all(waits)
        for (const each of [second, reader])
          t.same(valuesIn(await each.read(partitionId, offset, plenty)), [`${offset}:${offset}`])
      }
    } finally {
      await reader.close()
    }
  })

  onTwoNodes('a topic that one deletes is gone for the other', async (t, { first, second, partitionId }) => {
    await first.append(appendOf(partitionId, ['a']))
    await second.append(appendOf(partitionId, ['b']))
    const refused = { code: 'PARTITION_NOT_FOUND', details: { partitionId } }
    const wait = t.rejects(second.whenPast(partitionId, 2, patient), refused)
    await first.deleteTopic('orders')
    await wait
    await t.rejects(
      attempt(() => second.append(appendOf(partitionId, ['c']))),
      { ...refused, handled: /^no$/ },
    )
    await t.rejects(
      attempt(() => second.read(partitionId, 0, plenty)),
      refused,
    )
    t.same(await second.listTopics(), [])
  })

  onTwoNodes(
    'whoever begins to wait while a topic is deleted is not told that its stream was lost',
    async (t, { first, second }) => {
      const names = Array.from({ length: 40 }, (_, index) => `topic ${index}`)
      const topics = await Promise.all(names.map(name => first.createTopic(name, 1)))
      const ids = topics.map(({ partitionIds: [id = -1] }) => id)
      await Promise.all(ids.map(id => second.append(appendOf(id, ['a']))))
      const waits = Promise.allSettled(ids.map(id => second.whenPast(id, 1, patient)))
      await Promise.all(names.map(name => first.deleteTopic(name)))
      const told = new Set((await waits).map(outcome => outcome.status === 'rejected' && outcome.reason.code))
      t.same([...told], ['PARTITION_NOT_FOUND'])
    },
  )

  onTwoNodes('what one removes is removed for the other, which goes on from where it was', async (t, pair) => {
    const { first, second, partitionId } = pair
    for (let offset = 0; offset < 10; offset++) await second.append(appendOf(partitionId, [`${offset}`]))
    t.equal(valuesIn(await second.read(partitionId, 0, 1)).length, 1)
    const ever = Number.POSITIVE_INFINITY
    const removed = await first.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: 3 * 17 })
    t.same(removed, { batches: 7, bytes: 7 * 17 })
    await t.rejects(
      attempt(() => second.read(partitionId, 1, plenty)),
      { code: 'OFFSET_OUT_OF_RANGE', details: { firstOffset: 7, highWaterMark: 10 } },
    )
    t.equal((await second.append(appendOf(partitionId, ['10']))).baseOffset, 10)
    t.same(valuesIn(await first.read(partitionId, 7, plenty)), ['7:7', '8:8', '9:9', '10:10'])
  })

  t.test("nodes that open logs and append to them at once are in no one's way", async t => {
    const all = Array.from({ length: 20 }, async (_, round) => {
      const options = { servers: nats.address, store: newStore() }
      const nodes = await Promise.all(Array.from({ length: 3 }, () => openNode(options)))
      const { partitionIds } = await nodes[0]!.createTopic('orders', 3)
      const appends = nodes.flatMap(node => partitionIds.map(id => node.append(appendOf(id, [`${round}`]))))
      const offsets = (await Promise.all(appends)).map(({ baseOffset }) => baseOffset)
      t.same(offsets.toSorted(), [0, 0, 0, 1, 1, 1, 2, 2, 2])
      await Promise.all(nodes.map(node => node.close()))
    })
    await Promise.all(all)
  })

  onTwoNodes('a stream that does not take messages yet is waited for', async (t, { store, first, partitionId }) => {
    await first.append(appendOf(partitionId, ['a']))
    const name = storeNames(store).partition(partitionId)
    const connection = await connect({ servers: nats.address })
    const { streams } = await jetstreamManager(connection)
    const { config } = await streams.info(name)
    await streams.update(name, { ...config, subjects: [`${store}.elsewhere`] })
    const impatient = await openNode({ servers: nats.address, store, requestTimeoutMs: 2_000 })
    await t.rejects(
      attempt(() => impatient.append(appendOf(partitionId, ['c']))),
      { code: 'STORAGE_FAILED', handled: /^no$/, message: /no stream takes the message/ },
    )
    const append = first.append(appendOf(partitionId, ['b']))
    // As many answers as it takes an append to be refused.
    for (let answers = 0; answers < 6; answers++) await first.highWaterMark(partitionId)
    await streams.update(name, config)
    t.same(await append, { baseOffset: 1, stored: 1 })
    await impatient.close()
    await connection.close()
  })

  onTwoNodes('readers that were open hear of a stream that others have seen, and that it is gone', async (t, pair) => {
    const { store, first, second, partitionId } = pair
    const reader = await openReader({ servers: nats.address, store })
    t.teardown(() => reader.close())
    await first.append(appendOf(partitionId, ['a']))
    const connection = await connect({ servers: nats.address })
    const manager = await jetstreamManager(connection)
    await manager.streams.delete(storeNames(store).partition(partitionId))
    const corrupt = { code: 'STORAGE_FAILED', details: { reason: 'corrupt' } }
    for (const each of [first, second, reader])
      await t.rejects(
        attempt(() => each.highWaterMark(partitionId)),
        corrupt,
      )
    await t.rejects(
      attempt(() => second.append(appendOf(partitionId, ['b']))),
      corrupt,
    )
    await connection.close()
  })

  onTwoNodes(
    'topics whose stream is gone are not taken for deleted',
    async (t, { store, first, second, partitionId }) => {
      await first.append(appendOf(partitionId, ['a']))
      const connection = await connect({ servers: nats.address })
      const manager = await jetstreamManager(connection)
      await manager.streams.delete(storeNames(store).topics)
      const gone = { code: 'STORAGE_FAILED', message: /-topics is gone/, details: { reason: 'corrupt' } }
      for (const each of [first, second]) {
        await t.rejects(
          attempt(() => each.listTopics()),
          gone,
        )
        await t.rejects(
          attempt(() => each.createTopic('bills', 1)),
          { ...gone, handled: /^no$/ },
        )
        t.same(valuesIn(await each.read(partitionId, 0, plenty)), ['0:a'])
      }
      await connection.close()
    },
  )
}
