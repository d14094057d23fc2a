/** Sockets are dealt out in turn, only to shards that want them, and held only so many. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import t, { type Test } from 'tap'
import {
  createHandoffDispatch,
  type HandoffDispatch,
  heldSocketsMax,
} from '../../../src/actors/acceptor/handoff-dispatch.ts'
import { createHandoffWindow, postedSocketsMax, takeSocket } from '../../../src/actors/acceptor/handoff-window.ts'
import { until } from '../connection/event-shard.ts'

/** A shard that dials: its end of the channel, and how many sockets have come to it; it takes them when it is told to. */
function dial(dispatch: HandoffDispatch, threadId: number) {
  const { port1, port2 } = new MessageChannel()
  const window = createHandoffWindow()
  const sockets: Socket[] = []
  port1.on('message', message => {
    if (message.type === 'socket') sockets.push(message.socket)
  })
  dispatch.dial({ port: port2, threadId, window })
  return {
    port: port1,
    sockets,
    take(count: number) {
      const isAwaited = Array.from({ length: count }, () => takeSocket(window)).includes(true)
      if (isAwaited) port1.postMessage({ type: 'room' })
      return isAwaited
    },
    close() {
      for (const socket of sockets) socket.destroy()
      port1.close()
    },
  }
}

/** So many sockets that were accepted and not read. */
async function acceptSockets(t: Test, count: number): Promise<Socket[]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  const sockets: Socket[] = []
  server.on('connection', socket => sockets.push(socket))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const clients = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => {
    for (const client of clients) client.destroy()
    server.close()
  })
  await until(() => sockets.length === count)
  return sockets
}

const fakeSocket = (resets: { count: number }): Socket =>
  ({
    resetAndDestroy() {
      resets.count++
    },
  }) as unknown as Socket

t.test('without a shard sockets are held up to the limit, the next is reset, and all are at the end', async t => {
  const dispatch = createHandoffDispatch(7400)
  const resets = { count: 0 }
  for (let index = 0; index < heldSocketsMax; index++) dispatch.give(fakeSocket(resets))
  t.equal(dispatch.give(fakeSocket(resets)), false)
  t.same([dispatch.figures.held, resets.count], [heldSocketsMax, 1])
  dispatch.end()
  t.same([dispatch.figures.held, resets.count], [0, heldSocketsMax + 1])
})

t.test('a shard that said stop is out of the rotation before it is told so', async t => {
  const dispatch = createHandoffDispatch(7400)
  const { port } = dial(dispatch, 1)
  t.same(await once(port, 'message'), [{ type: 'bound', port: 7400 }])
  t.equal(dispatch.figures.shards, 1)
  port.postMessage({ type: 'stop' })
  t.same(await once(port, 'message'), [{ type: 'stopped' }])
  t.equal(dispatch.figures.shards, 0)
  dispatch.give(fakeSocket({ count: 0 }))
  t.equal(dispatch.figures.held, 1)
  port.close()
})

t.test('a shard that hung up is out of the rotation; the end is told to the others', async t => {
  const dispatch = createHandoffDispatch(7400)
  const [gone, there] = [dial(dispatch, 1), dial(dispatch, 2)]
  await Promise.all([once(gone.port, 'message'), once(there.port, 'message')])
  gone.port.close()
  await until(() => dispatch.figures.shards === 1)
  dispatch.end()
  t.same(await once(there.port, 'message'), [{ type: 'ended' }])
  there.port.close()
})

t.test('shards are given sockets in turn, few ahead of those they took; the rest waits and follows', async t => {
  const dispatch = createHandoffDispatch(7400)
  const [a, b] = [dial(dispatch, 1), dial(dispatch, 2)]
  const came = () => [a.sockets.length, b.sockets.length]
  for (const socket of await acceptSockets(t, 2 * postedSocketsMax + 3)) dispatch.give(socket)
  t.equal(dispatch.figures.held, 3)
  await until(() => came().join() === `${postedSocketsMax},${postedSocketsMax}`)
  t.ok(a.take(2), 'the listener wants to know of room')
  await until(() => came().join() === `${postedSocketsMax + 2},${postedSocketsMax}`)
  t.equal(dispatch.figures.held, 1)
  t.ok(b.take(postedSocketsMax))
  await until(() => came().join() === `${postedSocketsMax + 2},${postedSocketsMax + 1}`)
  t.equal(dispatch.figures.held, 0)
  for (const shard of [a, b]) shard.close()
})

t.test('a shard that stands still keeps no more than its few; the other gets the rest', async t => {
  const dispatch = createHandoffDispatch(7400)
  const [still, quick] = [dial(dispatch, 1), dial(dispatch, 2)]
  const sockets = await acceptSockets(t, 5 * postedSocketsMax)
  let taken = 0
  for (const socket of sockets) {
    dispatch.give(socket)
    quick.take(quick.sockets.length - taken)
    taken = quick.sockets.length
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => {
    quick.take(quick.sockets.length - taken)
    taken = quick.sockets.length
    return still.sockets.length + quick.sockets.length === sockets.length
  })
  t.equal(still.sockets.length, postedSocketsMax)
  for (const shard of [still, quick]) shard.close()
})

t.test('a shard whose thread is about to end is given none any more', async t => {
  const dispatch = createHandoffDispatch(7400)
  const [ending, there] = [dial(dispatch, 1), dial(dispatch, 2)]
  dispatch.threadEnding(1)
  t.equal(dispatch.figures.shards, 1)
  for (const socket of await acceptSockets(t, postedSocketsMax)) dispatch.give(socket)
  await until(() => there.sockets.length === postedSocketsMax)
  t.equal(ending.sockets.length, 0)
  for (const shard of [ending, there]) shard.close()
})
