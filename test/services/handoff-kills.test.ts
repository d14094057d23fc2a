/** What the death of a shard costs those who connect, where the main thread accepts for it. */
import t from 'tap'
import { postedSocketsMax } from '../../src/actors/acceptor/handoff-window.ts'
import { createChaos } from '../../src/chaos/chaos.ts'
import { createEventServer, createSystem } from '../../src/index.ts'
import { createLogger } from '../../src/logger.ts'
import { encodeEventRequest } from '../../src/messages/index.ts'
import { connectClient } from '../actors/acceptor/event-client.ts'
import { until } from '../actors/connection/event-shard.ts'

t.setTimeout(60_000)

const hello = encodeEventRequest({ sessionId: 7, body: Buffer.from('hello') })

t.test('a shard that stands still and dies takes along no more connects than were posted to it', async t => {
  const system = await createSystem({ shards: 2, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  const server = createEventServer(system, { port: 0, accept: 'handoff' })
  const { port } = await server.start()
  const chaos = createChaos(system)
  await chaos.pause({ shard: 0 })
  const connects = 10 * postedSocketsMax
  const outcomes: Promise<'served' | 'lost'>[] = []
  let settled = 0
  for (let index = 0; index < connects; index++) {
    const client = await connectClient(port, false)
    client.write(hello)
    const outcome = client.response().then(
      () => 'served' as const,
      () => 'lost' as const,
    )
    void outcome.then(() => {
      settled++
      client.socket.destroy()
    })
    outcomes.push(outcome)
  }
  await until(() => settled === connects - postedSocketsMax)
  await chaos.kill({ shard: 0 })
  const told = await Promise.all(outcomes)
  t.equal(told.filter(outcome => outcome === 'lost').length, postedSocketsMax)
  const next = await connectClient(port, false)
  next.write(hello)
  t.equal((await next.response()).status, 0)
  next.socket.destroy()
})
