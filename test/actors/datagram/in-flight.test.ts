/** Requests that wait for their commands, and answers that wait for the system: how many, how long, and how they end. */
import t from 'tap'
import { dialectV1 } from '../../../src/protocols/event/dialect-v1.ts'
import { until } from '../connection/event-shard.ts'
import { startDatagramShard } from './datagram-shard.ts'
import { bringing, commands, held, ok, read, request } from './requests.ts'

t.test('requests that wait for their commands are bounded by number and by bytes; more are answered 6', async t => {
  for (const udp of [{ inFlightRequestsMax: 3 }, { inFlightBytesMax: 100 }]) {
    const { table, waiting } = commands()
    const shard = await startDatagramShard(t, { table, udp })
    const sender = await shard.sender()
    const { body: cookie } = read(await sender.ask(bringing(Buffer.alloc(16))))
    for (let sessionId = 0; sessionId < 3; sessionId++)
      await sender.send(bringing(cookie, { command: held, sessionId }))
    t.match(shard.figures, { inFlight: 3, inFlightBytes: 3 * 34 })
    t.match(read(await sender.ask(bringing(cookie, { command: held, sessionId: 3 }))), { status: 6, sessionId: 3 })
    t.match(read(await sender.ask(request({ sessionId: 4 }))), { status: 6, sessionId: 4 })
    t.match(read(await sender.ask(request({ command: 99 }))), { status: 5 }, 'faults are told all the same')
    waiting[1]!.release('free')
    t.match(read(await sender.answer()), { ...ok, sessionId: 1, body: Buffer.from('free') })
    t.match(read(await sender.ask(request({ sessionId: 5 }))), { ...ok, sessionId: 5 })
    t.match(shard.figures, { inFlight: 2, inFlightBytes: 2 * 34, overloaded: 2 })
    waiting[0]!.release('a')
    waiting[2]!.release('c')
    t.same([read(await sender.answer()).sessionId, read(await sender.answer()).sessionId], [0, 2])
    t.match(shard.figures, { inFlight: 0, inFlightBytes: 0 })
  }
})

t.test(
  'half of the room is for who brings a cookie: above the other half a request without one is answered 10',
  async t => {
    for (const udp of [{ inFlightRequestsMax: 4 }, { inFlightBytesMax: 72 }]) {
      const { table, waiting } = commands()
      const shard = await startDatagramShard(t, { table, udp })
      const [anybody, sender] = await Promise.all([shard.sender(), shard.sender()])
      for (let sessionId = 0; sessionId < 2; sessionId++) await anybody.send(request({ command: held, sessionId }))
      t.match(read(await anybody.ask(request({ command: held, sessionId: 2 }))), { status: 10, sessionId: 2 })
      const { status, body: cookie } = read(await sender.ask(request({ sessionId: 3 })))
      t.equal(status, 10, 'whatever it asks for')
      t.match(read(await sender.ask(bringing(cookie, { sessionId: 4 }))), ok)
      await sender.send(bringing(cookie, { command: held, sessionId: 5 }))
      t.match(shard.figures, { inFlight: 3, challenged: 2, unproven: 0, overloaded: 0 })
      waiting[0]!.release('free')
      t.match(read(await anybody.answer()), { ...ok, sessionId: 0 })
      t.match(read(await anybody.ask(request({ sessionId: 6 }))), ok)
      for (const { release } of waiting) release('done')
      t.match(read(await anybody.answer()), { ...ok, sessionId: 1 })
      t.match(read(await sender.answer()), { ...ok, sessionId: 5 })
    }
  },
)

t.test('where requests have no place for a cookie, they are answered 6 above half of the room', async t => {
  const { hasCookie: _, ...dialect } = dialectV1
  const { table } = commands()
  const shard = await startDatagramShard(t, { table, dialect, udp: { inFlightRequestsMax: 2 } })
  const sender = await shard.sender()
  await sender.send(request({ command: held, sessionId: 1 }))
  t.match(read(await sender.ask(request({ sessionId: 2 }))), { status: 6 })
})

t.test('a repeat of a request that is in hand waits for its answer, any other request does not', async t => {
  const { table, waiting } = commands()
  const shard = await startDatagramShard(t, { table, udp: { inFlightRequestsMax: 8 } })
  const [sender, other] = await Promise.all([shard.sender(), shard.sender()])
  const first = request({ command: held, sessionId: 1 })
  for (let count = 0; count < 5; count++) await sender.send(first)
  await other.send(first)
  await sender.send(request({ command: held, sessionId: 2 }))
  await sender.send(request({ command: held, sessionId: 1, body: Buffer.from('ho') }))
  t.match(shard.figures, { received: 8, requests: 4, repeated: 4, inFlight: 4 })
  await sender.send(first)
  t.match(shard.figures, { repeated: 5, overloaded: 0 }, 'whether there is room or not')
  for (const { release } of waiting) release('done')
  const answers = [await sender.answer(), await sender.answer(), await sender.answer()]
  t.same(answers.map(answer => read(answer).sessionId).sort(), [1, 1, 2])
  t.equal(await sender.isSilent(Buffer.alloc(1)), true, 'once each')
  t.match(read(await other.answer()), { sessionId: 1 })
  await sender.send(first)
  t.equal(waiting.length, 5, 'what comes after the answer is a request of its own')
})

t.test('a command that is not done in time is answered 7', async t => {
  const { table, waiting } = commands()
  const shard = await startDatagramShard(t, { table, protocol: { commandTimeoutMs: 500 } })
  const sender = await shard.sender()
  await sender.send(request({ command: held }))
  await shard.clock.advance(499)
  t.equal(waiting[0]!.signal.aborted, false)
  await shard.clock.advance(1)
  t.match(read(await sender.answer()), { status: 7, sessionId: 7, command: held })
  t.equal(waiting[0]!.signal.aborted, true)
  waiting[0]!.release('late')
  t.equal(await sender.isSilent(Buffer.alloc(1)), true)
  t.match(shard.figures, { inFlight: 0, inFlightBytes: 0 })
})

t.test('a drain answers what is in hand, and 6 to what comes; it is over when nothing is', async t => {
  const { table, waiting } = commands()
  const shard = await startDatagramShard(t, { table })
  const sender = await shard.sender()
  await sender.send(request({ command: held, sessionId: 1 }))
  let isDrained = false
  shard.server.drain(() => {
    isDrained = true
  })
  for (const command of [0, held]) t.match(read(await sender.ask(request({ command }))), { status: 6, command })
  t.equal(isDrained, false)
  waiting[0]!.release('done')
  t.match(read(await sender.answer()), { ...ok, sessionId: 1, body: Buffer.from('done') })
  await until(() => isDrained)
  t.match(read(await sender.ask(request())), { status: 6 }, 'until the socket is closed')
  t.match(shard.figures, { overloaded: 3, inFlight: 0 })
})

t.test('the end of a shard aborts what is in its hand', async t => {
  const { table, waiting } = commands()
  const shard = await startDatagramShard(t, { table })
  const sender = await shard.sender()
  await sender.send(request({ command: held }))
  shard.server.abandon()
  t.match(waiting[0]!.signal.reason, { code: 'ASK_ABORTED' })
  waiting[0]!.release('to nobody')
  t.equal(await sender.isSilent(Buffer.alloc(1)), true)
  t.match(shard.figures, { inFlight: 0, inFlightBytes: 0 })
})

t.test('an answer that the system does not send is counted, told once in a while, and harms nobody else', async t => {
  const shard = await startDatagramShard(t)
  const sender = await shard.sender()
  // As if it came from outside: the system does not let a socket of 127.0.0.1 answer there.
  const outside = { address: '192.0.2.1', family: 'IPv4', port: 9, size: 18 } as const
  for (let count = 0; count < 20; count++) shard.socket.emit('message', request(), outside)
  await until(() => shard.figures.failed === 20)
  t.match(read(await sender.ask(request())), ok)
  t.match(shard.runtime.lines, [{ level: 'warn', message: 'a datagram was not sent', fields: { leftOut: 0 } }])
  t.equal(shard.runtime.lines.length, 1)
})

t.test('answers that the system is slow to take are thrown away above a bound', async t => {
  const shard = await startDatagramShard(t, { udp: { unsentMax: 10 } })
  const sender = await shard.sender()
  const from = { address: '127.0.0.1', family: 'IPv4', port: sender.port, size: 18 } as const
  // In one turn, in which the system cannot say that any has been sent.
  for (let count = 0; count < 25; count++) shard.socket.emit('message', request(), from)
  await until(() => sender.got.datagrams === 10)
  t.match(shard.figures, { sent: 10, dropped: 15 })
  t.match(read(await sender.ask(request())), ok)
})
