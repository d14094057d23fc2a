/**
 * Whatever datagrams come, each gets the answer, or the silence, of a reference that was written from the description of the
 * protocol.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import type { CommandTable } from '../../../src/index.ts'
import { until } from '../../actors/connection/event-shard.ts'
import { startDatagramShard, startMs } from '../../actors/datagram/datagram-shard.ts'
import { type ReferenceOptions, referenceAnswer } from './datagrams/reference-server.ts'
import { spoiledDatagram } from './datagrams/spoiled.ts'

const count = 20_000
const batch = 50
/** So many that none has an exchange that comes again too often. */
const senderCount = 24
const [soon, now, broken] = [2, 3, 0x0104]
const secret = Buffer.alloc(32, 'reference')

/** Eight bytes for each unit of the first one of the request: up to more than a datagram holds. */
const eightfold = (body: Uint8Array): Buffer => Buffer.alloc(8 * (body[0] ?? 0), 'x')

const table: CommandTable = {
  [soon]: { handle: async ({ body }) => eightfold(body) },
  [now]: { handle: ({ body }) => eightfold(body) },
  [broken]: {
    handle: () => {
      throw new Error('broken')
    },
  },
}

const time = Buffer.alloc(8)
time.writeBigUInt64BE(BigInt(startMs))

const reference: ReferenceOptions = {
  raidaId: 2,
  payloadBytesMax: 1_232,
  secret,
  nowMs: startMs,
  commands: new Map<number, (body: Buffer) => Buffer | number>([
    [0, body => body],
    [1, () => time],
    [soon, eightfold],
    [now, eightfold],
    [broken, () => 9],
  ]),
}

t.test(`${count} datagrams, sound and spoiled: every answer, every silence`, async t => {
  const shard = await startDatagramShard(t, { table, secret, protocol: { raidaId: reference.raidaId } })
  const answers: string[] = []
  const senders = await Promise.all(
    Array.from({ length: senderCount }, async () => {
      const socket = createSocket('udp4').bind(0, '127.0.0.1')
      t.teardown(() => socket.close())
      socket.on('message', bytes => answers.push(bytes.toString('hex')))
      await once(socket, 'listening')
      return socket.address()
    }),
  )

  const reached = new Map<number | 'silence', number>()
  for (let from = 1; from <= count; from += batch) {
    const wanted: string[] = []
    const { address, port } = senders[Math.floor(from / batch) % senderCount]!
    for (let seed = from; seed < from + batch; seed++) {
      const datagram = spoiledDatagram(seed, reference, { address, port })
      const answer = referenceAnswer(reference, { address, port }, datagram)
      const became = answer === undefined ? 'silence' : answer[1]!
      reached.set(became, (reached.get(became) ?? 0) + 1)
      if (answer !== undefined) wanted.push(answer.toString('hex'))
      // As from the kernel, which may lose some; the answers go over it.
      shard.socket.emit('message', datagram, { address, port, family: 'IPv4', size: datagram.length })
      await new Promise(resolve => setImmediate(resolve))
    }
    await until(() => answers.length === shard.figures.sent)
    const found = answers.slice(-wanted.length)
    if (wanted.length > 0 && found.join() !== wanted.join()) {
      const at = found.findIndex((answer, index) => answer !== wanted[index])
      t.fail(`of datagrams ${from} to ${from + batch - 1}, answer ${at}`, { found: found[at], wanted: wanted[at] })
      return
    }
  }
  const { silence = 0, ...statuses } = Object.fromEntries(reached)
  t.same(Object.keys(statuses).map(Number), [0, 1, 3, 4, 5, 9, 10], 'all statuses but those of time, room and memory')
  t.ok(silence > 200 && Object.values(statuses).every(times => times > 200), JSON.stringify({ silence, ...statuses }))
  t.equal(answers.length + silence, count)
  t.match(shard.figures, { received: count, inFlight: 0, inFlightBytes: 0, failed: 0, dropped: 0, repeated: 0 })
})
