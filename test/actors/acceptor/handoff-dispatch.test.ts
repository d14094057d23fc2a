/** Sockets are dealt out in turn, only to shards that want them, and held only so many. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { createHandoffDispatch, heldSocketsMax } from '../../../src/actors/acceptor/handoff-dispatch.ts'
import { until } from '../connection/event-shard.ts'

const fakeSocket = (resets: { count: number }): Socket =>
  ({
    resetAndDestroy() {
      resets.count++
    },
  }) as unknown as Socket

t.test('without a shard sockets are held up to the limit, the next is reset, and all are at the end', async t => {
  const dispatch = createHandoffDispatch(7400)
  const resets = { count: 0 }
  for (let index = 0; index <= heldSocketsMax; index++) dispatch.give(fakeSocket(resets))
  t.same([dispatch.figures.held, resets.count], [heldSocketsMax, 1])
  dispatch.end()
  t.same([dispatch.figures.held, resets.count], [0, heldSocketsMax + 1])
})

t.test('a shard that said stop is out of the rotation before it is told so', async t => {
  const dispatch = createHandoffDispatch(7400)
  const { port1, port2 } = new MessageChannel()
  dispatch.dial(port2)
  t.same(await once(port1, 'message'), [{ type: 'bound', port: 7400 }])
  t.equal(dispatch.figures.shards, 1)
  port1.postMessage({ type: 'stop' })
  t.same(await once(port1, 'message'), [{ type: 'stopped' }])
  t.equal(dispatch.figures.shards, 0)
  dispatch.give(fakeSocket({ count: 0 }))
  t.equal(dispatch.figures.held, 1)
  port1.close()
})

t.test('a shard that hung up is out of the rotation; the end is told to the others', async t => {
  const dispatch = createHandoffDispatch(7400)
  const [gone, there] = [new MessageChannel(), new MessageChannel()]
  dispatch.dial(gone.port2)
  dispatch.dial(there.port2)
  await Promise.all([once(gone.port1, 'message'), once(there.port1, 'message')])
  gone.port1.close()
  await until(() => dispatch.figures.shards === 1)
  dispatch.end()
  t.same(await once(there.port1, 'message'), [{ type: 'ended' }])
  there.port1.close()
})
