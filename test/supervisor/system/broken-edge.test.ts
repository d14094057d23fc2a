import { MessagePort } from 'node:worker_threads'
import t from 'tap'
import { counter } from '../fixtures/counter.ts'
import { exitOf } from '../fixtures/local-system.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'

t.setTimeout(60_000)

/** The next batch that this thread posts is lost on its way. */
function loseBatch(): void {
  const { prototype } = MessagePort
  const { postMessage } = prototype
  prototype.postMessage = function (this: MessagePort, ...args: Parameters<typeof postMessage>) {
    if (!Array.isArray(args[0])) return postMessage.apply(this, args)
    prototype.postMessage = postMessage
  } as typeof postMessage
}

t.test('a worker that closes its edge because a batch is missing is replaced, and everybody is told', async t => {
  const system = await startSharded(t)
  const c = await system.spawn(counter, { id: 'c', input: { from: 1 }, shard: 0 })
  await system.spawn(counter, { id: 'other', input: { from: 1 }, shard: 1 })
  t.equal(await c.ask({ type: 'counter.read' }, inTime), 1)
  const ended = exitOf(system, c)
  await c.ask({ type: 'counter.read' }, inTime)
  loseBatch()
  const lost = c.ask({ type: 'counter.read' }, inTime)
  await new Promise(resolve => setImmediate(resolve))
  const behind = c.ask({ type: 'counter.read' }, inTime)
  await t.rejects(lost, { code: 'ACTOR_DIED', handled: /^no$/ })
  await t.rejects(behind, { code: 'ACTOR_DIED', handled: /^no$/ })
  t.match(await ended, { address: 'c', reason: { type: 'killed' }, shardLoss: { shard: 0, incarnation: 1 } })
  t.equal(await c.ask({ type: 'counter.read' }, inTime), 1)
  t.match(await system.tree(), [
    { address: 'c', incarnation: 2 },
    { address: 'other', incarnation: 1 },
  ])
})
