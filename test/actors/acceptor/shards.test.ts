/** Acceptors on worker threads: one port, limits of the server, drains and deaths of shards. */
import { once } from 'node:events'
import { threadId, Worker } from 'node:worker_threads'
import t from 'tap'
import { type AcceptorInput, resolveAcceptorInput } from '../../../src/actors/acceptor/config.ts'
import { createServerCounters, readServerCounters } from '../../../src/actors/acceptor/counters.ts'
import { handoffListenerIo } from '../../../src/actors/acceptor/handoff.ts'
import { acceptorMachine } from '../../../src/actors/acceptor/machine.ts'
import { probeAddress } from '../../../src/actors/acceptor/probe.ts'
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import { protocolReference } from '../../../src/actors/serving/protocol.ts'
import { encodeEventRequest } from '../../../src/messages/index.ts'
import { eventProtocol } from '../../../src/protocols/event/event-protocol.ts'
import { connectClient, type EventClient } from './event-client.ts'
import { startTestActor } from './test-actor.ts'

const hello = encodeEventRequest({ sessionId: 7, body: Buffer.from('hello') })

async function inputFor(accept: 'reusePort' | 'handoff', connectionsMax = 1_000): Promise<AcceptorInput> {
  return resolveAcceptorInput(
    {
      port: await probeAddress('127.0.0.1', 0),
      accept,
      limits: { connectionsMax, drainQuietMs: 20 },
      protocol: protocolReference(eventProtocol, {}),
    },
    { shards: 2, platform: 'linux', handoff: { threadId, listener: 'shards' }, counters: createServerCounters(2, 3) },
  )
}

async function startShard(input: AcceptorInput, shard: number): Promise<Worker> {
  const worker = new Worker(new URL('shard-worker.ts', import.meta.url), { workerData: { input, shard } })
  const [message] = await once(worker, 'message')
  if (message.state !== 'listening') throw new Error(message.error)
  return worker
}

async function served(input: AcceptorInput, count: number): Promise<EventClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => connectClient(input.port, false)))
  for (const client of clients) client.write(hello)
  for (const client of clients) await client.response()
  return clients
}

/** The status of the first connection that is not lost with the shard that died. */
async function firstStatus(input: AcceptorInput): Promise<number> {
  for (;;) {
    const client = await connectClient(input.port, false)
    client.write(hello)
    const response = await client.response().catch(() => undefined)
    client.socket.destroy()
    if (response !== undefined) return response.status
  }
}

for (const accept of ['reusePort', 'handoff'] as const) {
  t.test(`${accept}: two shards serve one port, and one that drains or dies leaves the other alone`, async t => {
    const input = await inputFor(accept)
    const listener =
      accept === 'handoff'
        ? startTestActor(acceptorMachine, handoffListenerIo, input, { clock: systemClock })
        : undefined
    await listener?.reached('listening')
    const [zero, one] = await Promise.all([startShard(input, 0), startShard(input, 1)])
    const clients = await served(input, 100)
    const figures = [0, 1].map(slot => readServerCounters(input.counters, slot))
    t.equal(figures[0]!.connections + figures[1]!.connections, 100)
    t.ok(
      figures.every(({ requests }) => requests > 10),
      figures.map(({ requests }) => requests).join(),
    )

    zero.postMessage({ type: 'actor.shutdown' })
    const [message] = await once(zero, 'message')
    t.same(message, { state: 'closed' })
    t.equal(readServerCounters(input.counters, 0).connections, 0)
    const others = await served(input, 20)
    t.equal(readServerCounters(input.counters, 1).connections, figures[1]!.connections + 20)

    const again = await startShard(input, 0)
    await served(input, 20)
    await again.terminate()
    t.equal(await firstStatus(input), 0, 'the port is served after a shard was killed')

    const replacement = await startShard(input, 0)
    t.equal(readServerCounters(input.counters, 0).connections, 0, 'the dead shard is counted no longer')
    for (const client of [...clients, ...others]) client.socket.destroy()
    for (const worker of [replacement, one]) await worker.terminate()
    await listener?.stop()
  })
}

t.test('limits hold for the server across its shards', async t => {
  const input = await inputFor('reusePort', 10)
  const workers = await Promise.all([startShard(input, 0), startShard(input, 1)])
  const clients = await Promise.all(Array.from({ length: 30 }, () => connectClient(input.port, false)))
  for (const client of clients) client.write(hello)
  const statuses = await Promise.all(clients.map(async client => (await client.response()).status))
  t.equal(statuses.filter(status => status === 0).length, 10)
  t.equal(statuses.filter(status => status === 6).length, 20)
  for (const client of clients) client.socket.destroy()
  for (const worker of workers) await worker.terminate()
})
