/** Requests that wait: for room on their shard, or for something to happen, however long that takes. */
import t from 'tap'
import { encodeEventRequest, eventCommand } from '../../../src/messages/index.ts'
import type { EventCommand, LateAnswer } from '../../../src/protocols/event/event-call.ts'
import { startEventShard, until } from './event-shard.ts'

const later = 0x10
const patient = 0x11

/** Commands that put their answers off, and the answers. */
function puttingOff() {
  const answers: LateAnswer[] = []
  let ended = 0
  const waiter = { abandoned() {}, isPatient: true, ending: () => void ended++ }
  const commands = new Map<number, EventCommand>([
    [later, call => void answers.push(call.later())],
    [patient, call => void answers.push(call.later(waiter))],
  ])
  return { commands, answers, ended: () => ended }
}

const request = (command: number, sessionId = 0) =>
  encodeEventRequest({ command, sessionId, body: Buffer.from('a body') })
const body = Buffer.from('done')

for (const limit of ['shardInFlightRequestsMax', 'shardInFlightBytesMax'] as const) {
  t.test(`${limit}: a protocol whose requests wait is not read before there is room`, async t => {
    const { commands, answers } = puttingOff()
    const shard = await startEventShard(t, { commands, whenFull: 'wait', limits: { [limit]: 1 } })
    const [first, second, third] = [await shard.connect(), await shard.connect(), await shard.connect()]
    first.write(request(later, 1))
    await until(() => answers.length === 1)
    second.write(request(later, 2), request(eventCommand.echo, 3))
    third.write(request(eventCommand.echo, 4))
    await shard.states('processing.full', 'processing.full', 'processing.full')
    t.equal(answers.length, 1)
    answers[0]!.answer(body)
    t.match(await first.response(), { status: 0, sessionId: 1 })
    await until(() => answers.length === 2)
    answers[1]!.answer(body)
    t.match(await second.response(), { status: 0, sessionId: 2 })
    t.match(await second.response(), { status: 0, sessionId: 3 })
    t.match(await third.response(), { status: 0, sessionId: 4 })
    await shard.states('wantReadHeader.idle', 'wantReadHeader.idle', 'wantReadHeader.idle')
    t.equal(shard.figures.refusals.requestsOverload, 0)
  })
}

t.test('one that goes while it waits for room leaves nothing', async t => {
  const { commands, answers } = puttingOff()
  const shard = await startEventShard(t, { commands, whenFull: 'wait', limits: { shardInFlightRequestsMax: 1 } })
  const [first, second] = [await shard.connect(), await shard.connect()]
  first.write(request(later, 1))
  await until(() => answers.length === 1)
  second.write(request(later, 2))
  await shard.states('processing.full', 'processing.full')
  second.socket.resetAndDestroy()
  first.socket.resetAndDestroy()
  await until(() => shard.connections.size === 0)
  const third = await shard.connect()
  third.write(request(eventCommand.echo, 3))
  t.match(await third.response(), { status: 0, sessionId: 3 })
  t.equal(answers.length, 1)
})

t.test('what waits for something to happen is not late, and takes no room of its shard', async t => {
  const { commands, answers, ended } = puttingOff()
  const limits = { handlerTimeoutMs: 1_000, idleTimeoutMs: 1_000, shardInFlightRequestsMax: 2 }
  const shard = await startEventShard(t, { commands, limits })
  const client = await shard.connect()
  client.write(request(patient, 1), request(patient, 2), request(patient, 3))
  await until(() => answers.length === 3)
  await shard.states('processing.reading')
  await shard.clock.advance(10_000)
  await shard.states('processing.reading')
  client.write(request(later, 4))
  await until(() => answers.length === 4)
  for (const answer of answers) answer.answer(body)
  for (const sessionId of [1, 2, 3, 4]) t.match(await client.response(), { status: 0, sessionId })
  t.equal(ended(), 0)
})

t.test('beside work that is late it ends with its connection', async t => {
  const { commands, answers } = puttingOff()
  const shard = await startEventShard(t, { commands, limits: { handlerTimeoutMs: 1_000 } })
  const client = await shard.connect()
  client.write(request(patient, 1), request(later, 2))
  await until(() => answers.length === 2)
  await shard.states('processing.reading')
  await shard.clock.advance(1_000)
  t.equal(await client.closed(), 'reset')
  t.equal(shard.figures.refusals.handlersLate, 1)
})

t.test('it is told of a drain', async t => {
  const { commands, answers, ended } = puttingOff()
  const shard = await startEventShard(t, { commands })
  const client = await shard.connect(false)
  client.write(request(patient, 1))
  await until(() => answers.length === 1)
  const drained = shard.server.drain()
  await until(() => ended() === 1)
  answers[0]!.answer(body)
  t.match(await client.response(), { status: 0, sessionId: 1 })
  await shard.states('draining.reading')
  await shard.clock.advance(250)
  await drained
})

for (const [cost, spend] of [
  ['time', (shard: EventShard) => shard.pass(2)],
  ['output', () => {}],
] as const) {
  t.test(`a connection that sent much work takes its turns, by ${cost}; others are served in between`, async t => {
    const handled: number[] = []
    const answer = Buffer.alloc(cost === 'output' ? 60_000 : 0)
    const work: EventCommand = call => {
      handled.push(call.sessionId)
      spend(shard)
      call.answer(answer)
    }
    const limits = { outputHighWaterBytes: 16_777_216, outputBytesMax: 67_108_864 }
    const shard = passing(await startEventShard(t, { commands: new Map([[later, work]]), limits }))
    const [busy, other] = [await shard.connect(), await shard.connect()]
    busy.write(...Array.from({ length: 100 }, (_, index) => request(later, 1_000 + index)))
    other.write(request(later, 1))
    for (let left = 100; left > 0; left--) t.match(await busy.response(), { status: 0, sessionId: 1_100 - left })
    t.match(await other.response(), { status: 0, sessionId: 1 })
    const place = handled.indexOf(1)
    t.ok(place < 50, `it was number ${place}`)
    await shard.states('wantReadHeader.idle', 'wantReadHeader.idle')
  })
}

t.test(
  'shardOutputBytesMax: a slow reader is served no further, others are, and it gets all when it reads',
  async t => {
    const handled: number[] = []
    const large = Buffer.alloc(2_000_000)
    const work: EventCommand = call => {
      handled.push(call.sessionId)
      call.answer(large)
    }
    const limits = { shardOutputBytesMax: 6_000_000, outputHighWaterBytes: 900_000_000, outputBytesMax: 900_000_000 }
    const shard = await startEventShard(t, { commands: new Map([[later, work]]), limits })
    const [slow, other] = [await shard.connect(), await shard.connect()]
    slow.socket.pause()
    slow.write(...Array.from({ length: 12 }, (_, index) => request(later, 100 + index)))
    await shard.states('wantWrite', 'wantReadHeader.idle')
    // The kernel takes some of it.
    t.ok(handled.length < 9, `${handled.length} answers of 2 MB`)
    other.write(request(eventCommand.echo, 1))
    t.match(await other.response(), { status: 0, sessionId: 1 })
    slow.socket.resume()
    for (let index = 0; index < 12; index++) t.match(await slow.response(), { status: 0, sessionId: 100 + index })
    await shard.states('wantReadHeader.idle', 'wantReadHeader.idle')
  },
)

type EventShard = Awaited<ReturnType<typeof startEventShard>> & { pass(ms: number): void }

/** Has time pass within a turn of the event loop, as work does. */
function passing(shard: Awaited<ReturnType<typeof startEventShard>>): EventShard {
  let passedMs = 0
  const { clock } = shard
  const now = clock.now.bind(clock)
  clock.now = () => now() + passedMs
  const pass = (ms: number): void => {
    passedMs += ms
  }
  return Object.assign(Object.create(shard), { pass })
}
