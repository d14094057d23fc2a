/**
 * Supervisors of every kind under random commands and crashes, while starts fail, take their time and are declined.
 *
 * One seed again: `node test/supervisor/system/at-random.test.ts SEED`.
 */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { createRandom, createVirtualClock, type Random, type VirtualClock } from '../../../src/actors/runtime/clock.ts'
import { isStarfishError } from '../../../src/messages/errors.ts'
import type { ChildEntry } from '../../../src/supervisor/child-host.ts'
import type { AutoShutdown, ChildSpec, SupervisorSpec } from '../../../src/supervisor/child-spec.ts'
import type { SupervisorRef } from '../../../src/supervisor/supervisor-ref.ts'
import { createSystem, type System } from '../../../src/supervisor/system.ts'
import { chance, fickle } from '../fixtures/fickle.ts'
import { quiet } from '../fixtures/local-system.ts'

const seeds = 200
/** In each seed, each with a rest in which all is looked at. */
const rounds = 10
/** In each round. */
const stepsMax = 6
/** Of children at first; commands name one more. */
const ids = ['a', 'b', 'c', 'd']
/** Longer than all starts, backoffs and shutdowns of a run together. */
const restMs = 60_000

const kinds = ['one_for_one', 'one_for_all', 'one_for_all', 'rest_for_one', 'dynamic', 'budgetPerChild'] as const

interface Run {
  readonly random: Random
  readonly system: System
  readonly clock: VirtualClock
  readonly kind: (typeof kinds)[number]
  readonly autoShutdown: AutoShutdown
  /** Commands without an answer. */
  readonly open: Set<{ readonly name: string }>
  readonly faults: string[]
}

function pick<T>({ random }: Pick<Run, 'random'>, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!
}

function specOf(run: Run, id: string): ChildSpec {
  const { random, kind, autoShutdown } = run
  const restart = pick(run, ['permanent', 'transient', 'temporary'] as const)
  const isSignificant = autoShutdown !== 'never' && restart !== 'permanent' && random() < 0.5
  const backoff = random() < 0.3 ? { backoff: { initialMs: 10, maxMs: 10 } } : {}
  const significant = isSignificant && kind !== 'dynamic' && kind !== 'budgetPerChild' ? { significant: true } : {}
  return child(fickle, { id, restart, ...significant, ...backoff })
}

function treeOf(run: Run): SupervisorSpec {
  const { kind, autoShutdown } = run
  const budget = { id: 't', restart: 'temporary' as const, intensity: 300, periodMs: 100_000 }
  if (kind === 'budgetPerChild') return { ...budget, dynamic: true, budgetPerChild: true }
  if (kind === 'dynamic') return { ...budget, dynamic: true }
  return { ...budget, strategy: kind, autoShutdown, children: ids.map(id => specOf(run, id)) }
}

/** One random command or crash. */
function act(run: Run, tree: SupervisorRef): void {
  const { random, system, open, faults } = run
  const id = pick(run, [...ids, 'e'])
  const drawn = random()
  const asked = (what: string, answer: Promise<unknown>): void => {
    const name = `${what} ${id}`
    const mine = { name }
    open.add(mine)
    const answered = (error?: unknown) => {
      open.delete(mine)
      if (error !== undefined && !isStarfishError(error)) faults.push(`${name}: ${error}`)
    }
    answer.then(() => answered(), answered)
  }
  const ref = system.ref(fickle, `t/${id}`)
  if (drawn < 0.25) asked('kill', system.kill(ref))
  else if (drawn < 0.42) ref.send({ type: 'fickle.fail' })
  else if (drawn < 0.5) ref.send({ type: 'fickle.end' })
  else if (drawn < 0.63) asked('terminateChild', tree.terminateChild(id))
  else if (drawn < 0.76) asked('restartChild', tree.restartChild(id))
  else if (drawn < 0.82) asked('deleteChild', tree.deleteChild(id))
  else if (drawn < 0.94) asked('startChild', tree.startChild(specOf(run, id)))
  else asked('whichChildren', tree.whichChildren())
}

/** What is wrong now that nothing is due. */
async function inspect(run: Run, tree: SupervisorRef): Promise<void> {
  const { system, clock, open, faults } = run
  for (const { name } of open) faults.push(`no answer: ${name}`)
  let children: readonly ChildEntry[] | undefined
  tree.whichChildren().then(
    found => {
      children = found
    },
    () => {
      children = []
    },
  )
  await clock.advance(0)
  if (children === undefined) {
    faults.push('the supervisor does not answer')
    return
  }
  for (const { id, state } of children)
    if (state === 'restarting') faults.push(`${id} is restarting, and nothing is due`)
  const running = children.flatMap(({ id, actor }) => (actor === undefined ? [] : [`t/${id}#${actor.incarnation}`]))
  const listed = (await system.tree({ under: 't' })).flatMap(({ address, state, incarnation }) =>
    address !== 't' && state === 'up' ? [`${address}#${incarnation}`] : [],
  )
  if (running.sort().join() !== listed.sort().join()) faults.push(`${running} are said to run, ${listed} do`)
  const absent = [...ids, 'e'].filter(id => !running.some(each => each.startsWith(`t/${id}#`)))
  for (const id of absent) {
    const before = (await system.deadLetters()).counts.refused
    system.ref(fickle, `t/${id}`).send({ type: 'fickle.end' })
    await clock.advance(0)
    if ((await system.deadLetters()).counts.refused === before)
      faults.push(`messages to ${id} wait, and nothing is due`)
  }
}

async function faultsOf(seed: number): Promise<string[]> {
  const random = createRandom(seed)
  const clock = createVirtualClock()
  const system = await createSystem({ shards: 0, clock, random, logger: quiet })
  const kind = pick({ random }, kinds)
  const autoShutdown = pick({ random }, ['never', 'any_significant', 'all_significant'] as const)
  const run: Run = { random, system, clock, kind, autoShutdown, open: new Set(), faults: [] }
  Object.assign(chance, { random, failure: 0 })
  const tree = system.supervisor('t')
  for (let round = 0; round < rounds && run.faults.length === 0; round++) {
    // One that has ended is begun anew, and one that runs stays.
    system.supervise(treeOf(run)).catch(() => {})
    await clock.advance(500)
    chance.failure = random() * 0.7
    for (let n = Math.ceil(random() * stepsMax); n > 0; n--) {
      act(run, tree)
      if (random() < 0.6) await clock.advance(Math.floor(random() * 12))
    }
    chance.failure = 0
    await clock.advance(restMs)
    await inspect(run, tree)
  }
  let isOver = false
  void system.stop().then(() => {
    isOver = true
  })
  await clock.advance(restMs)
  if (!isOver) run.faults.push('the system does not stop')
  return run.faults.map(fault => `seed ${seed}, ${kind}: ${fault}`)
}

t.test('commands and crashes at random leave nothing undone', { timeout: 60_000 }, async t => {
  const only = Number(process.argv[2])
  const faults: string[] = []
  for (let seed = only || 1; seed <= (only || seeds); seed++) faults.push(...(await faultsOf(seed)))
  t.same(faults, [])
})
