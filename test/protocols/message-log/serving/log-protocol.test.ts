/** What a server of the message log answers to what comes: each fault by its code and text, and what it costs. */
import t from 'tap'
import type { FrameProtocol } from '../../../../src/actors/serving/protocol.ts'
import { StarfishError } from '../../../../src/messages/errors.ts'
import {
  encodeLogBatch,
  encodeLogRequest,
  logOperation,
  type ProduceRequest,
  readLogEntries,
} from '../../../../src/messages/index.ts'
import { sealLogFrame } from '../../../../src/messages/log/frame.ts'
import type { LogOperation } from '../../../../src/messages/log/operation.ts'
import { storageFailed } from '../../../../src/protocols/message-log/engine/engine-errors.ts'
import { createLogProtocol } from '../../../../src/protocols/message-log/log-protocol.ts'
import { readAppendBatch } from '../../../../src/protocols/message-log/owner/append-batch.ts'
import type { LogHandler } from '../../../../src/protocols/message-log/serving/log-services.ts'
import { textMessage } from '../../../services/fixtures/served-log.ts'
import { askEngine, type LogShardOptions, logShard, until } from './log-shard.ts'
import { ScriptedLink } from './scripted-link.ts'

const { produce, fetch, getOffset, createTopic, listTopics, healthCheck } = logOperation

async function connected(options: LogShardOptions = {}) {
  const shard = await logShard(options)
  return { ...shard, link: new ScriptedLink() }
}

function produceOf(partitionId: number, texts: string[], more: Partial<ProduceRequest> = {}): ProduceRequest {
  return { partitionId, acknowledgement: 'committed', batch: encodeLogBatch(texts.map(textMessage)), ...more }
}

/** A request whose bytes were changed after it was encoded, its checksum right again. */
function altered(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(bytes)
  sealLogFrame(bytes, 0, bytes.length)
  return bytes
}

const health = () => encodeLogRequest(healthCheck, 1, {})

function livesOn(link: ScriptedLink, protocol: FrameProtocol): boolean {
  link.send(protocol, healthCheck, 99, {})
  const [answer] = link.answers(healthCheck)
  return !link.isOver && answer?.requestId === 99 && answer.ok
}

for (const [length, refusal] of [
  [15, 'headersInvalid'],
  [0, 'headersInvalid'],
  [1_000_001, 'bodiesTooLarge'],
  [0xffff_ffff, 'bodiesTooLarge'],
] as const) {
  t.test(`a length of ${length} ends the connection without an answer`, async t => {
    const { protocol, link } = await connected()
    const bytes = health()
    bytes.writeUInt32BE(length)
    link.sendBytes(protocol, bytes)
    t.same([link.answers(healthCheck), link.isOver, link.refusals], [[], true, [refusal]])
  })
}

t.test('a frame of just the limit is taken', async t => {
  const { protocol, link, partitionId } = await connected({ frameBytesMax: 4_096 })
  const beside = encodeLogRequest(produce, 1, produceOf(partitionId, [''])).length - 4
  link.send(protocol, produce, 1, produceOf(partitionId, ['x'.repeat(4_096 - beside)]))
  await until(() => link.waiters.size === 0)
  t.match(link.answers(produce), [{ requestId: 1, ok: true }])
  link.send(protocol, produce, 2, produceOf(partitionId, ['x'.repeat(4_097 - beside)]))
  t.same([link.answers(produce), link.isOver], [[], true])
})

t.test('a wrong checksum is answered, then the connection ends', async t => {
  const { protocol, link } = await connected()
  const bytes = health()
  // Type and version are not believed either.
  bytes[12] = 200
  link.sendBytes(protocol, bytes)
  const text = 'the checksum of the request is wrong'
  t.match(link.answers(healthCheck), [{ requestId: 1, ok: false, errorCode: 4, text }])
  t.same([link.isOver, link.refusals], [true, ['bodiesInvalid']])
})

t.test('what is against the grammar is answered, and the connection lives on', async t => {
  const { protocol, link, partitionId } = await connected()
  const aProduce = () => encodeLogRequest(produce, 1, produceOf(partitionId, ['a']))
  const cases: readonly [Buffer, number, string][] = [
    [altered(health(), bytes => bytes.writeUInt8(8, 12)), 1, 'there is no request of type 8 in version 1'],
    [altered(health(), bytes => bytes.writeUInt8(2, 13)), 1, 'there is no request of type 7 in version 2'],
    [altered(health(), bytes => bytes.writeUInt16BE(1, 14)), 2, 'HealthCheck request: flags 0x1 are not among its own'],
    [
      altered(aProduce(), bytes => bytes.writeUInt16BE(0x10, 14)),
      2,
      'Produce request: flags 0x10 are not among its own',
    ],
    [altered(aProduce(), bytes => bytes.writeUInt16BE(3, 14)), 2, 'Produce request: acknowledgement 3 at offset 0'],
    [altered(aProduce(), bytes => bytes.writeUInt32BE(0, 20)), 2, 'Produce request: count 0 at offset 4'],
    [
      altered(aProduce(), bytes => bytes.writeUInt32BE(2, 20)),
      2,
      'Produce request: count 2 is more than 17 bytes hold at offset 4',
    ],
  ]
  for (const [bytes, errorCode, text] of cases) {
    link.sendBytes(protocol, bytes)
    t.match(link.answers(healthCheck), [{ requestId: 1, ok: false, errorCode, text }])
    t.ok(livesOn(link, protocol), text)
  }
  t.equal(link.refusals.filter(kind => kind === 'commandsUnknown').length, 2)
})

t.test('versions of a request are served side by side', async t => {
  const { services, partitionId, append } = await connected()
  const link = new ScriptedLink()
  interface WithFirst {
    readonly highWaterMark: number
    readonly firstOffset: number
  }
  /** GetOffset as it might become. */
  const getOffsetV2: LogOperation<{ partitionId: number }, WithFirst> = {
    ...getOffset,
    version: 2,
    answerBytes: answer => getOffset.answerBytes(answer) + 8,
    writeAnswer(target, at, answer) {
      getOffset.writeAnswer(target, at, answer)
      target.writeBigUInt64BE(BigInt(answer.firstOffset), at + 8)
    },
    readResponse: (reader, outcome) => ({
      ...getOffset.readResponse(reader, outcome),
      firstOffset: reader.safeU64('firstOffset'),
    }),
  }
  const answerV2: LogHandler = call => call.answer({ highWaterMark: 7, firstOffset: 5 } satisfies WithFirst)
  const handlers = new Map([...services.handlers, [getOffsetV2 as LogOperation<unknown, unknown>, answerV2] as const])
  const protocol = createLogProtocol({ frameBytesMax: 1_000 }, services, handlers)
  await append('a')
  link.send(protocol, getOffset, 1, { partitionId })
  t.match(link.answers(getOffset), [{ ok: true, response: { highWaterMark: 1 } }])
  link.send(protocol, getOffsetV2, 2, { partitionId })
  t.match(link.answers(getOffsetV2), [{ ok: true, response: { highWaterMark: 7, firstOffset: 5 } }])
  link.sendBytes(
    protocol,
    altered(encodeLogRequest(getOffset, 3, { partitionId }), bytes => bytes.writeUInt8(3, 13)),
  )
  t.match(link.answers(getOffset), [{ errorCode: 1, text: 'there is no request of type 3 in version 3' }])
  t.ok(livesOn(link, protocol))
})

t.test('what the connection finds wrong is answered by the id of its request', async t => {
  const { protocol, link } = await connected()
  const header = encodeLogRequest(healthCheck, 5, {})
  for (const [fault, errorCode, text] of [
    ['overloaded', 7, 'the server has too much in hand, or is draining: nothing was done'],
    ['timeout', 6, 'the request did not come whole in time: nothing was done'],
    ['memory', 7, 'the server has no memory for the request: nothing was done'],
  ] as const) {
    protocol.fault(link, fault, header, 0)
    t.match(link.answers(healthCheck), [{ requestId: 5, ok: false, errorCode, text }])
    protocol.fault(link, fault, undefined, 0)
    t.same(link.answers(healthCheck), [])
  }
})

t.test('a connection is described by what it waits for', async t => {
  const { protocol } = await connected()
  const bytes = health()
  bytes.writeBigUInt64BE(2n ** 64n - 1n, 4)
  t.same(protocol.describe(bytes, 0), { requestId: '18446744073709551615', type: 7, version: 1, flags: 0, length: 16 })
})

t.test('acknowledgement and producer reach the store; each answer comes back to its request', async t => {
  const seen: unknown[] = []
  const { protocol, link, partitionId } = await connected({
    ask: engine => async (event, timeoutMs) => {
      if (event.type === 'store.append') {
        for (const { messages, count, ...more } of readAppendBatch(event.batch)) seen.push(more)
      }
      return askEngine(engine)(event, timeoutMs)
    },
  })
  const producer = { producerId: 2n ** 64n - 1n, sequence: 4 }
  link.send(protocol, produce, 1, produceOf(partitionId, ['a'], { acknowledgement: 'received' }))
  link.send(protocol, produce, 2, produceOf(partitionId, ['b', 'c'], { acknowledgement: 'flushed', producer }))
  link.send(protocol, produce, 3, produceOf(partitionId, ['b', 'c'], { producer }))
  await until(() => link.waiters.size === 0)
  t.match(link.answers(produce), [
    { requestId: 1, response: { partitionId, baseOffset: 0 } },
    { requestId: 2, response: { partitionId, baseOffset: 1 } },
    { requestId: 3, response: { partitionId, baseOffset: 1 } },
  ])
  t.match(seen, [
    { acknowledgement: 'received', producer: undefined },
    { acknowledgement: 'flushed', producer: { id: 2n ** 64n - 1n, sequence: 4 } },
    { acknowledgement: 'committed', producer: { id: 2n ** 64n - 1n, sequence: 4 } },
  ])
  link.send(protocol, fetch, 4, { partitionId, offset: 0, maxBytes: 0xffff_ffff })
  const [answer] = link.answers(fetch)
  t.ok(answer?.ok)
  if (answer?.ok)
    t.same(
      readLogEntries(answer.response.entries).map(({ value }) => String(value)),
      ['a', 'b', 'c'],
    )
})

t.test('a batch that was stored in part is answered so', async t => {
  const { protocol, link } = await connected({
    ask: () => async () => ({ results: Float64Array.of(40, 2), refusals: [] }),
  })
  link.send(protocol, produce, 1, produceOf(1, ['a', 'b', 'c']))
  await until(() => link.waiters.size === 0)
  t.match(link.answers(produce), [
    { status: 2, errorCode: 7, response: { partitionId: 1, baseOffset: 40, partial: { stored: 2, errorCode: 7 } } },
  ])
})

t.test('what the store refuses is answered by its code, with its text, and logged once a second', async t => {
  const { protocol, link, engine, partitionId, lines, clock } = await connected({
    ask: () => async () => {
      throw storageFailed('full', '/data/log.db', 'database or disk is full', 'unknown')
    },
  })
  const full = '/data/log.db: database or disk is full'
  link.send(protocol, produce, 1, produceOf(partitionId, ['a']))
  link.send(protocol, createTopic, 2, { name: 'bills', partitions: 1 })
  await until(() => link.waiters.size === 0)
  for (const answer of link.answers(produce)) t.match(answer, { ok: false, errorCode: 7, text: full })
  t.equal(lines.length, 1)
  await clock.advance(1_000)
  link.send(protocol, fetch, 3, { partitionId, offset: 5, maxBytes: 9 })
  t.match(link.answers(fetch), [{ errorCode: 3, text: 'partition 1 has offsets from 0 to its end 0, not 5' }])
  await engine.close()
  link.send(protocol, fetch, 3, { partitionId, offset: 0, maxBytes: 9 })
  link.send(protocol, listTopics, 4, {})
  for (const answer of link.answers(fetch)) t.match(answer, { errorCode: 7, text: /the store is closed/ })
  t.match(lines, [{ leftOut: 0 }, { leftOut: 1 }])
  t.equal(lines.length, 2)
})

t.test('a fault of the engine itself is told to the log, not to the client', async t => {
  const { protocol, link, lines } = await connected({
    ask: () => async () => {
      throw new TypeError('a secret')
    },
  })
  link.send(protocol, produce, 1, produceOf(1, ['a']))
  await until(() => link.waiters.size === 0)
  t.match(link.answers(produce), [{ errorCode: 7, text: 'the storage failed' }])
  t.match(lines, [{ err: { message: 'a secret' } }])
})

t.test('a request that is not done in its time is answered so', async t => {
  const { protocol, link, clock } = await connected({
    ask: () => (event, timeoutMs) => {
      if (event.type !== 'store.append') return new Promise(() => {})
      return new Promise((_, reject) => {
        const error = new StarfishError('ASK_TIMEOUT', 'scripted', { handled: 'unknown' })
        clock.setTimeout(() => reject(error), timeoutMs)
      })
    },
  })
  link.send(protocol, produce, 1, produceOf(1, ['a']))
  link.send(protocol, createTopic, 2, { name: 'bills', partitions: 1 })
  await new Promise(resolve => setImmediate(resolve))
  await clock.advance(999)
  t.same(link.answers(produce), [])
  await clock.advance(1)
  await until(() => link.waiters.size === 0)
  const answers = link.answers(produce)
  t.equal(answers.length, 2)
  for (const answer of answers) t.match(answer, { errorCode: 6, text: 'the request was not done within 1000 ms' })
})

t.test('no more is gathered for a store that is behind than may be', async t => {
  const { protocol, link } = await connected({ ask: () => () => new Promise(() => {}), appendBytesMax: 1_000 })
  link.send(protocol, produce, 1, produceOf(1, ['x'.repeat(2_000)]))
  link.send(protocol, produce, 2, produceOf(1, ['a']))
  const text = 'the store is behind by as much as may be: nothing was done'
  t.match(link.answers(produce), [{ requestId: 2, errorCode: 7, text }])
})

t.test('a fetch is answered with so many messages, and the next one goes on behind them', async t => {
  const { protocol, link, append, partitionId } = await connected({ frameBytesMax: 16_777_216 })
  const some = new Array<string>(40_000).fill('')
  for (let batches = 0; batches < 3; batches++) await append(...some)
  const read: number[] = []
  for (let offset = 0; offset < 120_000; ) {
    link.send(protocol, fetch, 1, { partitionId, offset, maxBytes: 16_000_000 })
    const [answer] = link.answers(fetch)
    if (!answer?.ok) return t.fail('it is not answered')
    const offsets = readLogEntries(answer.response.entries).map(entry => entry.offset)
    t.equal(offsets[0], offset)
    t.equal(offsets.at(-1), offset + offsets.length - 1)
    read.push(offsets.length)
    offset += offsets.length
  }
  t.same(read, [65_536, 54_464])
})

t.test('while slow readers have as much waiting as may be, fetches are answered with little', async t => {
  const { protocol, link, append, partitionId, clock } = await connected()
  await append(...Array.from({ length: 100 }, () => 'x'.repeat(1_000)))
  const all = { partitionId, offset: 0, maxBytes: 1_000_000 }
  const counts = () => link.answers(fetch).map(answer => answer.ok && answer.response.entries.count)
  const askAll = async () => {
    link.send(protocol, fetch, 1, all)
    link.send(protocol, fetch, 2, { ...all, longPoll: { maxWaitMs: 50, minBytes: 1 } })
    link.send(protocol, fetch, 3, { ...all, longPoll: { maxWaitMs: 50, minBytes: 200_000 } })
    link.isOutputFull = true
    await clock.advance(50)
    await until(() => link.waiters.size === 0)
    return counts()
  }
  t.same(await askAll(), [100, 100, 32])
  t.same(await askAll(), [32, 32, 32])
  link.isOutputFull = false
})
