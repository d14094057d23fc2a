/** What goes wrong with JetStream is told in the words of the contract, and costs nothing that was acknowledged. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import t, { type Test } from 'tap'
import { patient, plenty } from '../../../src/protocols/message-log/engine/conformance/checks.ts'
import { appendOf, valuesIn } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { LogEngine } from '../../../src/protocols/message-log/engine/contract.ts'
import type { JetstreamLogOptions } from '../../../src/protocols/message-log/engine/jetstream/config.ts'
import { attempt } from './attempt.ts'
import { newStore, openNode, openReader } from './jetstream-world.ts'
import { type Acknowledged, allValues, checkAccount } from './log-account.ts'
import { type NatsServer, skipWithoutNats, startNats } from './nats-server.ts'
import { untilBack } from './until-back.ts'

t.test('options that cannot be are named', async t => {
  const refused = (options: unknown, message: RegExp) =>
    t.rejects(openNode(options as JetstreamLogOptions), { code: 'BAD_CONFIG', message })
  await refused({}, /servers is not an address/)
  await refused({ servers: [] }, /servers is not an address/)
  await refused({ servers: [''] }, /servers is ""/)
  await refused({ servers: 'x', store: 'a.b' }, /store is not 1 to 64 letters/)
  await refused({ servers: 'x', replicas: 6 }, /replicas is 6/)
  await refused({ servers: 'x', replicas: 2 }, /replicas is 2, not 1, 3 or 5/)
  await refused({ servers: 'x', requestTimeoutMs: 1 }, /requestTimeoutMs is 1/)
  await refused({ servers: 'x', user: '' }, /user is ""/)
  await refused({ server: 'x' }, /did you mean servers/)
})

const skip = skipWithoutNats()
/** Long enough for a busy machine, since what is answered late fails; short, since some cases wait for it. */
const requestTimeoutMs = 1_500
const disconnected = { code: 'STORAGE_FAILED', details: { reason: 'io' }, message: /the connection to NATS is lost/ }

/** Declares a case with a nats-server of its own, and a node of a log with one partition there. */
function onOneNode(
  name: string,
  more: readonly string[],
  body: (
    t: Test,
    nats: NatsServer,
    node: LogEngine,
    partitionId: number,
    options: JetstreamLogOptions,
  ) => Promise<void>,
): void {
  t.test(name, { skip }, async t => {
    const nats = await startNats(more)
    t.teardown(() => nats.close())
    const options = { servers: nats.address, store: newStore(), requestTimeoutMs }
    const node = await openNode(options)
    t.teardown(() => node.close())
    const [partitionId = -1] = (await node.createTopic('orders', 1)).partitionIds
    await body(t, nats, node, partitionId, options)
  })
}

t.test('a server that is not there is named', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  await t.rejects(openNode({ servers: `127.0.0.1:${port}`, requestTimeoutMs }), {
    code: 'STORAGE_FAILED',
    handled: /^no$/,
    details: { reason: 'io' },
    message: new RegExp(`^127.0.0.1:${port}/starfish: `),
  })
})

t.test('a server without JetStream, and one that asks for a password', { skip }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'starfish-nats-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'server.conf')
  writeFileSync(
    path,
    'accounts { closed { users [{ user: ann, password: p }] }, open { jetstream: enabled, users [{ user: bob, password: p }] } }',
  )
  const nats = await startNats(['-c', path])
  t.teardown(() => nats.close())
  const store = newStore()
  const open = (more: object) => openNode({ servers: nats.address, store, requestTimeoutMs, ...more })
  await t.rejects(open({}), { code: 'STORAGE_FAILED', message: /Authorization Violation/i })
  await t.rejects(open({ user: 'bob', pass: 'q' }), { code: 'STORAGE_FAILED', message: /Authorization Violation/i })
  await t.rejects(open({ user: 'ann', pass: 'p' }), { code: 'STORAGE_FAILED', message: /jetstream/i })
  const node = await open({ user: 'bob', pass: 'p' })
  t.same(await node.listTopics(), [])
  await node.close()
})

onOneNode('a stream that is no log is refused, and left as it is', [], async (t, nats) => {
  const connection = await connect({ servers: nats.address })
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: 'other-topics', subjects: ['others.>'] })
  await t.rejects(openNode({ servers: nats.address, store: 'other' }), {
    code: 'STORAGE_FAILED',
    handled: /^no$/,
    details: { reason: 'foreign' },
    message: /the stream other-topics is of something else/,
  })
  t.same((await manager.streams.info('other-topics')).config.subjects, ['others.>'])
  await connection.close()
})

onOneNode(
  'what others put into a stream is refused; what is before it is read',
  [],
  async (t, nats, node, id, options) => {
    await node.append(appendOf(id, ['a', 'b']))
    const connection = await connect({ servers: nats.address })
    const { streams } = await jetstreamManager(connection)
    const [subject = ''] = (await streams.info(`${options.store}-partition-${id}`)).config.subjects
    await connection.request(subject.replace('*', '-'), 'no message of a log')
    await connection.close()
    t.equal(await node.highWaterMark(id), 3)
    t.same(valuesIn(await node.read(id, 0, plenty)), ['0:a', '1:b'])
    await t.rejects(
      attempt(() => node.read(id, 2, plenty)),
      { code: 'STORAGE_FAILED', details: { reason: 'corrupt' }, message: /partition-1 is corrupt at offset 2/ },
    )
  },
)

onOneNode(
  'a stream that others removed is missed, and no other takes its place',
  [],
  async (t, nats, node, id, options) => {
    const reader = await openReader(options)
    t.teardown(() => reader.close())
    await node.append(appendOf(id, ['a', 'b']))
    t.same(valuesIn(await reader.read(id, 0, plenty)), ['0:a', '1:b'])
    const gone = {
      code: 'STORAGE_FAILED',
      details: { reason: 'corrupt' },
      message: new RegExp(`the stream ${options.store}-partition-${id} is gone`),
    }
    const waits = t.rejects(reader.whenPast(id, 2, new AbortController().signal), gone)
    const connection = await connect({ servers: nats.address })
    const { streams } = await jetstreamManager(connection)
    await streams.delete(`${options.store}-partition-${id}`)
    for (let times = 0; times < 2; times++) {
      await t.rejects(
        attempt(() => node.append(appendOf(id, ['c']))),
        gone,
      )
    }
    for (const source of [node, reader]) {
      await t.rejects(
        attempt(() => source.read(id, 0, plenty)),
        gone,
      )
      await t.rejects(
        attempt(() => source.highWaterMark(id)),
        gone,
      )
    }
    await waits
    await connection.close()
    const [other = -1] = (await node.createTopic('bills', 1)).partitionIds
    t.same(await node.append(appendOf(other, ['d'])), { baseOffset: 0, stored: 1 })
  },
)

onOneNode('a message that NATS does not take is refused, and costs no other', [], async (t, _nats, node, id) => {
  const refused = { code: 'BAD_CONFIG', message: /messages\[1\] has 1048592 bytes, and NATS takes 1046528/ }
  await t.rejects(
    attempt(() => node.append(appendOf(id, ['a', 'x'.repeat(1_048_576), 'b']))),
    refused,
  )
  t.same(await node.append(appendOf(id, ['x'.repeat(1_046_512)])), { baseOffset: 0, stored: 1 })
})

t.test(
  'a full store takes a part, says so, keeps what it has, and takes more when there is room',
  { skip },
  async t => {
    const folder = mkdtempSync(join(tmpdir(), 'starfish-nats-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'server.conf')
    writeFileSync(path, 'jetstream { max_file_store: 1MB }')
    const nats = await startNats(['-c', path])
    t.teardown(() => nats.close())
    const node = await openNode({ servers: nats.address, store: newStore() })
    t.teardown(() => node.close())
    const [id = -1] = (await node.createTopic('orders', 1)).partitionIds
    const acknowledged: Acknowledged[] = []
    const append = async (sequence: number, count: number) => {
      const values = Array.from({ length: count }, (_, index) => `${sequence} ${index} ${'v'.repeat(10_000)}`)
      const result = await node.append(appendOf(id, values, { producer: { id: 1n, sequence } }))
      acknowledged.push({ ...result, values })
      return result
    }
    let sequence = 0
    for (let result = await append(sequence, 30); result.stored === 30; result = await append(++sequence, 30));
    const partial = acknowledged.at(-1)!
    t.ok(partial.stored > 0 && partial.stored < 30)
    t.equal(partial.baseOffset, 30 * sequence)
    await t.rejects(append(sequence + 1, 1), { code: 'STORAGE_FAILED', handled: /^no$/, details: { reason: 'full' } })
    await checkAccount(t, node, id, acknowledged)

    const ever = Number.POSITIVE_INFINITY
    const removed = await node.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: 400_000 })
    t.ok(removed.batches > 0)
    t.same(await append(sequence + 1, 2), { baseOffset: partial.baseOffset + partial.stored, stored: 2 })
    t.same(await append(sequence, 30), { baseOffset: partial.baseOffset, stored: partial.stored })
  },
)

onOneNode(
  'while NATS is gone all is refused at once, and it comes back by itself',
  [],
  async (t, nats, node, id, options) => {
    const reader = await openReader(options)
    t.teardown(() => reader.close())
    await node.append(appendOf(id, ['a']))
    t.equal((await reader.read(id, 0, plenty)).highWaterMark, 1)
    const waits = [node.whenPast(id, 1, patient), reader.whenPast(id, 1, patient)]
    await nats.halt()
    const inHand = Promise.allSettled(Array.from({ length: 5 }, (_, index) => node.append(appendOf(id, [`${index}`]))))
    await nats.kill()
    for (const outcome of await inHand)
      t.match(outcome, { status: 'rejected', reason: { ...disconnected, handled: 'unknown' } })
    await untilLost(node)
    for (const each of [node, reader]) {
      await t.rejects(
        attempt(() => each.highWaterMark(id)),
        disconnected,
      )
      await t.rejects(
        attempt(() => each.read(id, 0, plenty)),
        disconnected,
      )
      await t.rejects(
        attempt(() => each.listTopics()),
        disconnected,
      )
    }
    await t.rejects(
      attempt(() => node.append(appendOf(id, ['b']))),
      { ...disconnected, handled: /^no$/ },
    )
    await t.rejects(
      attempt(() => node.createTopic('bills', 1)),
      disconnected,
    )
    await nats.start()
    const { baseOffset } = await untilBack(() => node.append(appendOf(id, ['c'])))
    await Promise.all(waits)
    const found = await untilBack(() => allValues(reader, id))
    t.equal(found[0], '0:a')
    t.equal(found.at(-1), `${baseOffset}:c`)
    t.ok(baseOffset >= 1)
  },
)

onOneNode(
  'a server that does not answer: the outcome is unknown, and a repeat tells it',
  [],
  async (t, nats, node, id) => {
    const request = appendOf(id, ['a', 'b'], { producer: { id: 3n, sequence: 1 } })
    await node.append(appendOf(id, ['before'], { producer: { id: 3n, sequence: 0 } }))
    await nats.halt()
    await t.rejects(
      attempt(() => node.append(request)),
      { code: 'STORAGE_FAILED', handled: 'unknown' },
    )
    nats.resume()
    t.same(await untilBack(() => node.append(request)), { baseOffset: 1, stored: 2 })
    t.same(await allValues(node, id), ['0:before', '1:a', '2:b'])
  },
)

onOneNode(
  'NATS killed under acknowledged appends, again and again: all is there once',
  [],
  async (t, nats, node, id, options) => {
    const second = await openNode(options)
    t.teardown(() => second.close())
    const acknowledged: Acknowledged[] = []
    const appending = { on: true }
    const workers = Array.from({ length: 8 }, async (_, worker) => {
      for (let sequence = 0; appending.on; sequence++) {
        const values = Array.from({ length: 1 + (sequence % 5) }, (_, index) => `${worker} ${sequence} ${index}`)
        const request = appendOf(id, values, { producer: { id: BigInt(worker), sequence } })
        const engine = (sequence + worker) % 3 === 0 ? second : node
        let tries = 0
        const result = await untilBack(() => (tries++ % 2 === 0 ? engine : node).append(request))
        acknowledged.push({ ...result, values })
      }
    })
    for (let round = 0; round < 4; round++) {
      const wanted = acknowledged.length + 150
      while (acknowledged.length < wanted)
        await node.whenPast(id, await untilBack(() => node.highWaterMark(id)), patient)
      await nats.kill()
      await nats.start()
    }
    appending.on = false
    await Promise.all(workers)
    t.ok(acknowledged.length >= 600)
    t.same(
      acknowledged.filter(({ stored, values }) => stored !== values.length),
      [],
    )
    await untilBack(() => second.highWaterMark(id))
    await checkAccount(t, second, id, acknowledged)
  },
)

/** Resolves when a node knows that its connection is lost. */
async function untilLost(node: LogEngine): Promise<void> {
  for (let said = ''; !disconnected.message.test(said); ) {
    said = await attempt(() => node.listTopics()).then(
      () => '',
      (error: Error) => error.message,
    )
    if (said.includes('closed')) throw new Error(said)
    await new Promise(resolve => setImmediate(resolve))
  }
}
