/** Two servers that were made to answer each other stop, and what else is asked is answered. */
import t from 'tap'
import { Exchanges, unprovenAnswersMax } from '../../../src/actors/datagram/exchanges.ts'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { encodeEventRequest } from '../../../src/messages/index.ts'
import { type DatagramShard, startDatagramShard, startMs } from './datagram-shard.ts'
import { bringing, ok, read, request } from './requests.ts'

/** What comes to `shard` in the name of `source`. */
function forge(shard: DatagramShard, source: DatagramShard, bytes: Buffer): void {
  const from = { address: '127.0.0.1', port: source.port, family: 'IPv4', size: bytes.length } as const
  shard.socket.emit('message', bytes, from)
}

/** Resolves when no datagram has come for many turns of the event loop. */
async function untilQuiet(...shards: DatagramShard[]): Promise<number> {
  const received = () => shards.reduce((sum, { figures }) => sum + figures.received, 0)
  for (let seen = -1, turns = 0; ; turns++) {
    if (turns > 200) return seen
    await new Promise(resolve => setImmediate(resolve))
    if (received() !== seen) turns = 0
    seen = received()
    if (seen > 100_000) throw new Error('they go on')
  }
}

const loops: readonly (readonly [string, number, number, readonly Buffer[]])[] = [
  ['a ping, which each takes', 0, 0, [encodeEventRequest({ command: 1, sessionId: 7 })]],
  ['for another server, which neither is', 1, 2, [encodeEventRequest({ raidaId: 9, command: 1, sessionId: 7 })]],
  ['an echo of 1,200 bytes, 200 times', 0, 0, Array(200).fill(request({ body: Buffer.alloc(1_200) }))],
  ['a datagram that is cut off', 0, 0, [request().subarray(0, 9)]],
]

for (const [what, idOfOne, idOfOther, forged] of loops) {
  t.test(`two servers that are made to answer each other stop: ${what}`, async t => {
    const [one, other] = await Promise.all(
      [idOfOne, idOfOther].map(raidaId => startDatagramShard(t, { protocol: { raidaId } })),
    )
    for (const bytes of forged) forge(one!, other!, bytes)
    const received = await untilQuiet(one!, other!)
    t.ok(received > unprovenAnswersMax, `${received} datagrams: they did answer each other`)
    t.ok(received <= 2 * (unprovenAnswersMax + forged.length + 2), `${received} datagrams`)
    const sender = await one!.sender()
    t.match(read(await sender.ask(request({ raidaId: idOfOne }))), ok, 'others are answered as ever')
  })
}

t.test('services that answer whatever comes get no answer', async t => {
  const shard = await startDatagramShard(t)
  for (const port of [7, 19]) {
    shard.socket.emit('message', request(), { address: '127.0.0.1', port, family: 'IPv4', size: 18 })
  }
  t.match(shard.figures, { received: 2, silent: 2, sent: 0 })
})

t.test('who repeats one session and command brings a cookie above the bound, or gets one answer a second', async t => {
  const shard = await startDatagramShard(t)
  const sender = await shard.sender()
  for (let count = 0; count < unprovenAnswersMax; count++) {
    t.match(read(await sender.ask(request())), ok, { diagnostic: false })
  }
  const { status, body: cookie } = read(await sender.ask(request()))
  t.equal(status, 10)
  t.equal(await sender.isSilent(request()), true)
  t.match(read(await sender.ask(bringing(cookie))), ok)
  t.match(read(await sender.ask(request({ sessionId: 8 }))), ok, 'another session')
  t.match(read(await sender.ask(request({ command: 1 }))), ok, 'another command')
  await shard.clock.advance(3_000)
  t.match(read(await sender.ask(request())), ok)
  t.equal(shard.figures.unproven, 0)
})

t.test('an exchange that goes on has its slot to itself, whatever else comes', t => {
  const exchanges = new Exchanges(createVirtualClock(startMs), 1)
  let answers = 0
  for (let round = 0; round < 10_000; round++) {
    if (exchanges.count('192.0.2.1', 7, 7) === 'answer') answers++
    for (let other = 0; other < 10; other++) exchanges.count('192.0.2.1', 7, 1_000 + round * 10 + other)
  }
  t.ok(answers >= unprovenAnswersMax && answers < 2 * unprovenAnswersMax, `${answers} answers`)
  t.end()
})
