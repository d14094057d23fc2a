/**
 * Proves that a compiled chart does what a live XState actor does:
 * - on every branch (configuration x event x answers of the guards), reached by the shortest way from the start, with
 *   guards that answer by script and functions that record what they saw;
 * - on seeded walks with the chart's own guards, actions, delays and payloads, on virtual time.
 * State value, context, status, output, errors, timers with their due times, and each action with the context, event and
 * parameters it saw must agree after every event.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'
import type { AnyEventObject, AnyStateMachine } from 'xstate'
import { branchesOf, type ChartBranch } from '../../../src/actors/runtime/chart-compiler/chart-branches.ts'
import { type CompileOptions, compileChart } from '../../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { createRandom, type Random } from '../../../src/actors/runtime/clock.ts'
import type { CompiledChart } from '../../../src/actors/runtime/compiled-chart.ts'
import { createCompiledRun, createJournal, createLiveRun, type Desk, type Run, turnPage } from './chart-runs.ts'
import { recordChart } from './recorded-chart.ts'
import { scriptChart } from './scripted-chart.ts'

/** An event to walk with, or a function that makes one. */
export type SampleEvent = AnyEventObject | ((random: Random) => AnyEventObject)

/** How to try a chart. */
export interface AgreementOptions {
  /** Makes the input of one instance; each side gets its own. */
  readonly input?: () => unknown
  /** Events to walk with; list one twice to see it more often. */
  readonly events: readonly SampleEvent[]
  /** Number of walks, 100 by default. */
  readonly walks?: number
  /** Events and passages of time in one walk, 40 by default. */
  readonly steps?: number
  readonly seed?: number
  readonly codegen?: CompileOptions['codegen']
}

/** What was compared. */
export interface Agreement {
  readonly configurations: number
  readonly branches: number
  readonly covered: number
  readonly stepsWalked: number
}

/** Fails `t` unless the compiled chart agrees with live actors on every branch and every walk; prints the coverage. */
export function assertChartAgrees(t: Test, machine: AnyStateMachine, options: AgreementOptions): Agreement {
  const { configurations, branches, covered, problems } = tryBranches(machine, options)
  const walked = tryWalks(machine, options)
  const all = [...problems, ...walked.problems]
  t.comment(
    `${machine.id}: branches covered ${covered} of ${branches} in ${configurations} configurations; ` +
      `${walked.walks} walks (seed ${options.seed ?? 1}), ${walked.stepsWalked} steps`,
  )
  t.equal(covered, branches, `${machine.id}: every branch agrees with a live actor`)
  t.same(walked.problems.slice(0, 1), [], `${machine.id}: every walk agrees with a live actor`)
  if (all[0] !== undefined) t.comment(all[0])
  return { configurations, branches, covered, stepsWalked: walked.stepsWalked }
}

/** Tries every branch; returns how many agreed and what did not. */
export function tryBranches(machine: AnyStateMachine, { codegen = 'auto' }: Pick<AgreementOptions, 'codegen'> = {}) {
  const desk: Desk = { open: createJournal() }
  const scripted = scriptChart(machine, desk)
  const chart = compileChart(scripted, { codegen }) as unknown as CompiledChart
  const original = compileChart(machine, { codegen }) as unknown as CompiledChart
  const branches = branchesOf(chart)
  const ways = waysTo(branches)
  const problems: string[] = []
  let covered = 0
  for (const branch of branches) {
    const problem = tryBranch(scripted, chart, desk, [...(ways.get(branch.from) ?? []), branch])
    if (problem === undefined) covered += 1
    else problems.push(`${describeBranch(chart, branch)}: ${problem}`)
  }
  const total = branchesOf(original).length
  if (total !== branches.length) problems.push(`the scripted chart has ${branches.length} branches, not ${total}`)
  return { configurations: original.configurations.length, branches: total, covered, problems }
}

function tryBranch(
  machine: AnyStateMachine,
  chart: CompiledChart,
  desk: Desk,
  way: readonly ChartBranch[],
): string | undefined {
  const [initial, ...following] = way
  const script = answersOf(initial!)
  const sides = [createLiveRun(machine, undefined, desk, script), createCompiledRun(chart, undefined, desk, script)]
  for (const side of sides) {
    desk.open = side.journal
    side.start()
  }
  let problem = difference(sides) ?? scriptLeft(sides)
  for (const branch of following) {
    if (problem !== undefined) break
    // An event of any other type; named so that no chart names it.
    const event = { type: branch.event ?? '(some other event)', sample: 1 }
    for (const side of sides) {
      turnPage(side.journal, answersOf(branch))
      desk.open = side.journal
      side.send(chart.timerSlots.includes(event.type) ? { type: event.type } : event)
    }
    problem = difference(sides) ?? scriptLeft(sides)
  }
  for (const side of sides) side.stop()
  return problem
}

function answersOf(branch: ChartBranch): boolean[] {
  return branch.guards.map(guard => guard.answer)
}

function scriptLeft(sides: readonly Run[]): string | undefined {
  const left = sides.map(({ journal }) => journal.script.length - journal.asked)
  return left.some(count => count !== 0) ? `answers left over: ${left.join(' and ')}` : undefined
}

/** The shortest way to each configuration, as branches taken from the start. */
function waysTo(branches: readonly ChartBranch[]): Map<number | undefined, readonly ChartBranch[]> {
  const ways = new Map<number | undefined, readonly ChartBranch[]>([[undefined, []]])
  const outgoing = Map.groupBy(branches, branch => branch.from)
  for (const [configuration, way] of ways)
    for (const branch of outgoing.get(configuration) ?? [])
      if (!ways.has(branch.to)) ways.set(branch.to, [...way, branch])
  return ways
}

function describeBranch(chart: CompiledChart, { from, event, guards }: ChartBranch): string {
  const state = from === undefined ? 'initial step' : (chart.configurations[from] ?? '?')
  return `${state} on ${event ?? 'any other event'} [${guards.map(({ name, answer }) => `${name}=${answer}`).join()}]`
}

/** Walks at random; returns the number of steps that agreed and what did not. */
export function tryWalks(machine: AnyStateMachine, options: AgreementOptions) {
  const { walks = 100, steps = 40, seed = 1, codegen = 'auto' } = options
  const desk: Desk = { open: createJournal() }
  const recorded = recordChart(machine, desk)
  const chart = compileChart(recorded, { codegen }) as unknown as CompiledChart
  const problems: string[] = []
  let stepsWalked = 0
  for (let walk = 0; walk < walks && problems.length === 0; walk++) {
    const random = createRandom(seed + walk)
    const result = walkOnce(recorded, [chart], desk, random, { ...options, steps })
    stepsWalked += result.steps
    if (result.problem !== undefined) problems.push(`walk with seed ${seed + walk}: ${result.problem}`)
  }
  return { walks, stepsWalked, problems }
}

/** One walk of a live actor and an instance of each chart, side by side. */
export function walkOnce(
  machine: AnyStateMachine,
  charts: readonly CompiledChart[],
  desk: Desk,
  random: Random,
  { input = () => undefined, events, steps = 40 }: Pick<AgreementOptions, 'input' | 'events' | 'steps'>,
): { readonly steps: number; readonly problem: string | undefined } {
  const live = createLiveRun(machine, input(), desk, [])
  const compiled = charts.map(chart => createCompiledRun(chart, input(), desk, []))
  const sides = [live, ...compiled]
  const each = (act: (side: Run) => void) => {
    for (const side of sides) {
      turnPage(side.journal)
      desk.open = side.journal
      act(side)
    }
    return difference(sides)
  }
  // What the initial step wrote is still open when the sides start.
  for (const side of sides) {
    desk.open = side.journal
    side.start()
  }
  let problem = difference(sides)
  let afterwards = 0
  const story: string[] = []
  // What has ended must stay ended: it gets a few more events.
  while (story.length < steps && afterwards < 3 && problem === undefined) {
    if (live.state().status !== 'active') afterwards += 1
    if (random() < 0.1 && mayRestart(live)) for (const run of compiled) run.restart()
    const act = chooseAct(live, events, random)
    story.push(act.name)
    problem = each(act.act)
  }
  problem ??= each(side => side.stop())
  return { steps: story.length, problem: problem && `${problem}\n  after ${story.join(', ')}` }
}

function chooseAct(live: Run, events: readonly SampleEvent[], random: Random) {
  const nextAt = live.clock.nextAt()
  const chance = random()
  if (nextAt !== undefined && chance < 0.25)
    return { name: `time ${nextAt}`, act: (side: Run) => side.clock.advanceTo(nextAt) }
  if (chance < 0.35) {
    const until = live.clock.now() + Math.floor(random() * 50)
    return { name: `time ${until}`, act: (side: Run) => side.clock.advanceTo(until) }
  }
  const sample = events[Math.floor(random() * events.length)]!
  const event = typeof sample === 'function' ? sample(random) : sample
  return { name: JSON.stringify(event), act: (side: Run) => side.send(event) }
}

/** Restored timers that fire at one time fire in the order of their slots, so a tie is no fair comparison. */
function mayRestart(live: Run): boolean {
  const due = Object.values(live.state().timers)
  return live.state().status === 'active' && new Set(due).size === due.length
}

/** The first thing on which the sides do not agree, or undefined. */
function difference(sides: readonly Run[]): string | undefined {
  const [expected, ...others] = sides.map(side => ({ ...side.state(), journal: side.journal.entries }))
  for (const other of others)
    for (const key of ['status', 'error', 'value', 'journal', 'context', 'output', 'timers'] as const)
      if (!isDeepStrictEqual(other[key], expected![key]))
        return `${key} differs: live ${text(expected![key])}, compiled ${text(other[key])}`
  return undefined
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
