/** Owner and shards of a log server are killed under load: what was acknowledged is there, once, where it was said. */
import t, { type Test } from 'tap'
import type { LogServerOptions } from '../../src/index.ts'
import { logStore } from '../../src/protocols/message-log/owner/log-store.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { judgeLog, produceAll, readAll } from '../services/fixtures/log-producer.ts'
import { newTopic, type ServedLog, serveLog } from '../services/fixtures/served-log.ts'
import { untilBound } from '../services/until-bound.ts'

t.setTimeout(120_000)

const producersCount = 4
const messagesEach = 500
const inTime = { timeoutMs: 60_000 }

/** Kills, one after the other, each after so many acknowledgements. */
type Kill = (served: ServedLog) => Promise<void>

async function killOwner({ system }: ServedLog): Promise<void> {
  await system.kill('log/store')
  await system.ref(logStore, 'log/store').ask({ type: 'store.whenOpen' }, inTime)
}

/** The worker of the owner is the first behind the shards. */
async function killWorkerOfOwner({ system }: ServedLog): Promise<void> {
  await internalsOf(system).shards!.worker(system.shards)!.terminate({ type: 'killed' })
  await system.ref(logStore, 'log/store').ask({ type: 'store.whenOpen' }, inTime)
}

async function killShard({ system }: ServedLog): Promise<void> {
  await internalsOf(system).shards!.worker(0)!.terminate({ type: 'killed' })
  await untilBound(system, 'log/s0')
}

async function killAcceptor({ system }: ServedLog): Promise<void> {
  await system.kill('log/s1')
  await untilBound(system, 'log/s1')
}

async function underKills(t: Test, kills: readonly Kill[], options: Partial<LogServerOptions> = {}) {
  const served = await serveLog(t, 2, options)
  const setup = await served.connect()
  const [partitionId] = await newTopic(setup, 'orders', 1)
  const every = Math.floor((producersCount * messagesEach) / (kills.length + 1))
  let acknowledged = 0
  let due = 0
  let killing = Promise.resolve()
  const onAcknowledged = (): void => {
    if (++acknowledged % every !== 0) return
    const kill = kills[due++]
    if (kill !== undefined) killing = killing.then(() => kill(served))
  }
  const producers = await Promise.all(
    Array.from({ length: producersCount }, (_, index) =>
      produceAll({
        name: `p${index}`,
        port: served.port,
        partitionId: partitionId!,
        producerId: BigInt(index + 1),
        inFlightMax: 16,
        isOver: sent => sent >= messagesEach,
        onAcknowledged,
      }),
    ),
  )
  await killing
  t.ok(due >= kills.length, 'all kills were made')
  const texts = await readAll(await served.connect(), partitionId!)
  t.equal(texts.length, producersCount * messagesEach)
  t.same(judgeLog(texts, producers), [])
  return producers
}

t.test('the owner of the store, and its worker', async t => {
  const producers = await underKills(t, [killOwner, killOwner, killWorkerOfOwner, killOwner])
  t.equal(
    producers.reduce((sum, { lost }) => sum + lost, 0),
    0,
    'no connection is lost',
  )
})

t.test('the shards that serve, and their acceptors', async t => {
  await underKills(t, [killShard, killAcceptor, killShard])
})

t.test('all shards are rolled, that of the owner too: nothing fails', async t => {
  const producers = await underKills(t, [({ system }) => system.rollingRestart()], { accept: 'handoff' })
  t.equal(
    producers.reduce((sum, { unknown }) => sum + unknown, 0),
    0,
  )
})
