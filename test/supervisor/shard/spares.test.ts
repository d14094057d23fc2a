/** How a worker that stands by is prepared. Workers are played by the test, their control planes too. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { Spares } from '../../../src/supervisor/shard/spares.ts'
import type { WorkerHost } from '../../../src/supervisor/shard/worker-host.ts'
import { resolveSupervisorSpec } from '../../../src/supervisor/spec-check.ts'
import { counter } from '../fixtures/counter.ts'
import { quiet, turn } from '../fixtures/local-system.ts'
import { type PlayedWorker, playWorker } from '../fixtures/played-worker.ts'
import { ledger } from '../fixtures/shard-subject.ts'

interface Played extends PlayedWorker {
  /** What was asked of it, in order. */
  readonly calls: string[]
}

function play(workerIndex: number): Played {
  const calls: string[] = []
  const played = playWorker(workerIndex, {
    preload: async definitions => {
      calls.push(`preload ${definitions.map(({ exportName }) => exportName).join()}`)
      return { value: true }
    },
    rehearse: async () => {
      calls.push('rehearse')
      return { value: true }
    },
  })
  return { ...played, calls }
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
