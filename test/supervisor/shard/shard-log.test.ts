import type { MessagePort } from 'node:worker_threads'
import t from 'tap'
import { createShardLog } from '../../../src/supervisor/shard/shard-log.ts'

/** The log of a shard, and the messages of the lines that it has posted. */
function createLog(level = 'info') {
  const posted: string[] = []
  const port = { postMessage: (line: string) => void posted.push(JSON.parse(line).msg) } as unknown as MessagePort
  return { ...createShardLog(3, level, port), posted }
}

const endOfTick = () => new Promise(process.nextTick)

t.test('what an actor says is posted at once, what the kernel says when all that runs now is done', async t => {
  const { log, logger, posted } = createLog()
  logger.child({ actor: 'a' }).info('a')
  t.same(posted, ['a'])
  log.warn({ err: new Error('torn') }, 'b')
  log.info({}, 'c')
  await Promise.resolve()
  t.same(posted, ['a'])
  await endOfTick()
  t.same(posted, ['a', 'b', 'c'])
})

t.test('lines are posted in the order in which they were said', t => {
  const { log, logger, posted } = createLog()
  log.warn({}, 'a')
  logger.child({ actor: 'a' }).warn('b')
  t.same(posted, ['a', 'b'])
  t.end()
})

t.test('no more than 64 of the kernel wait', t => {
  const { log, posted } = createLog()
  for (let i = 0; i < 64; i++) log.error({}, `${i}`)
  t.equal(posted.length, 64)
  t.end()
})

t.test('the kernel says nothing below the level, and what was thrown costs it nothing', async t => {
  const { log, posted } = createLog('warn')
  log.info({}, 'quiet')
  const hostile = Object.freeze(
    Object.defineProperty(new Error('x'), 'code', {
      enumerable: true,
      get() {
        throw new Error('unreadable')
      },
    }),
  )
  log.warn({ err: hostile }, 'loud')
  await endOfTick()
  t.same(posted, ['loud'])
})
