/**
 * Whatever bytes come, however they are cut and however the peer behaves: the answers, the bytes consumed and the end of the
 * connection are those of a reference that was written from the description of the protocol.
 */
import t, { type Test } from 'tap'
import { connectionChart } from '../../../src/actors/connection/chart.ts'
import { eventStatus } from '../../../src/messages/index.ts'
import { type EventShard, startEventShard } from '../../actors/connection/event-shard.ts'
import { mutant } from './streams/mutants.ts'
import { bodyOf, commandsFor, dialectFor } from './streams/profile-protocol.ts'
import { type Profile, profiles } from './streams/profiles.ts'
import { ReferenceConnection, type ReferenceOptions } from './streams/reference-server.ts'
import { heapAfterCollection, StreamTrials } from './streams/try-streams.ts'

// The acceptance run has more than a hundred thousand.
const structuredCount = 6_000
const mutantCount = 24_000

t.test('the reference is what the description says', async t => {
  const [{ reference: plain }] = profiles as [Profile]
  const request = (...head: number[]) => Buffer.from([...head, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0x61])
  const answered = (bytes: Buffer, options: Partial<ReferenceOptions> = {}): (string | boolean)[] => {
    const connection = new ReferenceConnection({ ...plain, ...options }, 0)
    connection.feed(bytes)
    return [...connection.answers.map(answer => answer.toString('hex')), connection.ended]
  }
  const error = (status: number, code = 0) => `010${status}000${code}00000009${'0'.repeat(16)}`
  t.same(answered(request(1, 0, 0, 0)), ['0100000000000009000000010000000061', false])
  t.same(answered(request(2, 7, 0, 8)), [error(3, 8), true], 'version first')
  t.same(answered(request(1, 7, 0, 8)), [error(3, 8), false], 'raidaId')
  t.same(answered(request(1, 0, 0, 8), { bodyBytesMax: 0 }), [error(4, 8), true], 'length before command')
  t.same(answered(request(1, 0, 0, 8)), [error(5, 8), false], 'command')
  t.same(answered(request(1, 0, 0, 0), { refused: true }), [error(6), true])
  t.same(answered(request(1, 0, 0, 3)), [error(9, 3), false])
  const late = new ReferenceConnection(plain, 0)
  late.feed(request(1, 0, 0, 0).subarray(0, 16))
  late.wait(1_999)
  t.equal(late.ended, false)
  late.wait(1)
  t.same([late.ended, late.answers.map(answer => answer[1])], [true, [7]])
})

t.test(`${structuredCount + mutantCount} streams without sockets: every answer, every state`, async t => {
  const trials = new StreamTrials()
  await trials.playStructured(20_261_121, structuredCount / 2)
  await trials.playMutants(1, mutantCount / 2)
  const heapBytes = heapAfterCollection()
  await trials.playStructured(7, structuredCount / 2)
  await trials.playMutants(mutantCount / 2, mutantCount / 2)
  const grownBytes = heapAfterCollection() - heapBytes
  t.ok(grownBytes < 4_194_304, `the second half left ${grownBytes} bytes behind`)

  // `opening` is left in the step that enters it.
  const states = connectionChart().configurations.filter(state => state !== 'opening')
  t.same([...trials.reached.states].sort(), [...states].sort(), 'the states that connections were in')
  const { invalidPacketLength, cookieRequired, ...ofStreams } = eventStatus
  t.same([...trials.reached.statuses].sort(), Object.values(ofStreams), 'the statuses that were answered')
})

t.test('streams over sockets', async t => {
  // What a kernel hands over at once cannot be said, and decides for whom there is memory.
  const tried = profiles.filter(({ secure, reference }) => !secure && !reference.noMemory)
  const shards = new Map(await Promise.all(tried.map(async profile => [profile, await serve(t, profile)] as const)))
  const wrong: string[] = []
  let played = 0
  for (let seed = 1; played < 400; seed++) {
    const { profile: index, chunks } = mutant(seed)
    const profile = profiles[index]!
    const shard = shards.get(profile)
    if (shard === undefined) continue
    played++
    const reference = new ReferenceConnection(profile.reference, shard.clock.now())
    reference.feed(Buffer.concat(chunks))
    reference.fin()
    const found = await exchange(shard, chunks)
    const wanted = Buffer.concat(reference.answers)
    if (!found.equals(wanted)) wrong.push(`mutant ${seed}, ${profile.name}: ${found.toString('hex')}`)
  }
  t.same(wrong, [])
  for (const shard of shards.values()) {
    await shard.states()
    t.match(shard.figures, { connections: 0, heldBytes: 0 })
  }
})

function serve(t: Test, profile: Profile): Promise<EventShard> {
  const { raidaId, oneRequestPerConnection } = profile.reference
  return startEventShard(t, {
    raidaId,
    protocol: { oneRequestPerConnection },
    limits: profile.limits,
    dialect: dialectFor(profile),
    commands: commandsFor(call => {
      const body = bodyOf(call)
      const late = call.later()
      setImmediate(() => late.answer(body))
    }),
  })
}

/** Sends the chunks and FIN, and answers all that came until the server's. */
async function exchange(shard: EventShard, chunks: readonly Buffer[]): Promise<Buffer> {
  const { socket, ended } = await shard.connect()
  for (const chunk of chunks) {
    socket.write(chunk)
    await new Promise(resolve => setImmediate(resolve))
  }
  socket.end()
  const bytes = await ended()
  socket.destroy()
  return bytes
}
