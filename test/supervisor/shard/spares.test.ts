/** How a worker that stands by is prepared. Workers are played by the test, their control planes too. */
import { MessageChannel } from 'node:worker_threads'
import { expose } from 'comlink'
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { ExitReason } from '../../../src/messages/thread/exit.ts'
import { nodeEndpoint } from '../../../src/supervisor/shard/node-endpoint.ts'
import { Spares } from '../../../src/supervisor/shard/spares.ts'
import type { HostedWorker, WorkerEnd, WorkerHost } from '../../../src/supervisor/shard/worker-host.ts'
import { resolveSupervisorSpec } from '../../../src/supervisor/spec-check.ts'
import { counter } from '../fixtures/counter.ts'
import { quiet, turn } from '../fixtures/local-system.ts'
import { ledger } from '../fixtures/shard-subject.ts'

interface Played {
  readonly worker: HostedWorker
  /** What was asked of it, in order. */
  readonly calls: string[]
  load(): void
  end(reason?: ExitReason): void
}

function play(workerIndex: number): Played {
  const load = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<WorkerEnd>()
  const { port1, port2 } = new MessageChannel()
  const calls: string[] = []
  const control = {
    preload: (definitions: readonly { exportName: string }[]) => {
      calls.push(`preload ${definitions.map(({ exportName }) => exportName).join()}`)
      return { value: true }
    },
    rehearse: () => {
      calls.push('rehearse')
      return { value: true }
    },
  }
  expose(control, nodeEndpoint(port2))
  const worker: HostedWorker = {
    workerIndex,
    threadId: workerIndex,
    port: port1,
    shared: new SharedArrayBuffer(0),
    loaded: load.promise,
    ending: ended.promise.then(({ reason }) => reason),
    ended: ended.promise,
    gone: ended.promise.then(() => {}),
    terminate: async () => {},
    cpuUsage: async () => undefined,
    heapStatistics: async () => undefined,
    eventLoopUtilization: () => 0,
  }
  return {
    worker,
    calls,
    load: load.resolve,
    end(reason = { type: 'shutdown' }) {
      port1.close()
      ended.resolve({ reason, atMs: 0, zombie: false })
    },
  }
}

function createSpares(played: Played[]): Spares {
  const host: WorkerHost = {
    start({ workerIndex }) {
      const one = play(workerIndex)
      played.push(one)
      return one.worker
    },
    close: async () => {},
  }
  return new Spares(host, { heapMb: undefined, loadTimeoutMs: 1_000, logger: quiet, relog() {} })
}

const treeOf = (...definitions: readonly (typeof counter | typeof ledger)[]) =>
  resolveSupervisorSpec({
    id: 'tree',
    children: definitions.map((definition, n) =>
      child(definition as typeof counter, { id: `${n}`, input: { from: 0 } }),
    ),
  })

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn()
}

t.test('one stands by: it loads what residents are made of, then it rehearses; later definitions follow', async t => {
  const played: Played[] = []
  const spares = createSpares(played)
  spares.expect(treeOf(counter, counter))
  spares.keep()
  spares.keep()
  t.equal(played.length, 1)
  const [spare] = played
  spare!.load()
  await until(() => spare!.calls.length === 2)
  t.same(spare!.calls, ['preload counter', 'rehearse'])
  spares.expect(treeOf(counter, ledger))
  await until(() => spare!.calls.length === 3)
  t.same(spare!.calls.slice(2), ['preload ledger'])
  t.equal(spares.take().worker, spare!.worker)
  spare!.end()
})

t.test('one that is taken while it loads is not kept busy; the next is a new one', async t => {
  const played: Played[] = []
  const spares = createSpares(played)
  spares.keep()
  t.equal(spares.take().worker, played[0]!.worker)
  played[0]!.load()
  t.equal(spares.take().worker, played[1]!.worker)
  for (let turns = 0; turns < 100; turns++) await turn()
  t.same(played[0]!.calls, [])
  for (const { end } of played) end()
})

t.test('one that ends while it stands by is not taken', async t => {
  const played: Played[] = []
  const spares = createSpares(played)
  spares.keep()
  played[0]!.end()
  await turn()
  spares.keep()
  t.equal(spares.take().worker, played[1]!.worker)
  played[1]!.end()
})

t.test('when one that was taken fails the next loads at once, unless one stands by or the system stops', async t => {
  const played: Played[] = []
  const spares = createSpares(played)
  spares.take()
  played[0]!.end({ type: 'killed' })
  await turn()
  t.equal(played.length, 2)
  t.equal(spares.take().worker, played[1]!.worker, 'it is the one that is taken')
  spares.keep()
  played[1]!.end({ type: 'killed' })
  await turn()
  t.equal(played.length, 3, 'one stood by')
  spares.take()
  spares.keepNoMore()
  played[2]!.end({ type: 'killed' })
  await turn()
  t.equal(played.length, 3)
})

t.test('who ends in good order is not replaced by itself', async t => {
  const played: Played[] = []
  createSpares(played).take()
  played[0]!.end()
  await turn()
  t.equal(played.length, 1)
})
