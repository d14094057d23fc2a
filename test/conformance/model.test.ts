/** Random supervisors and random stimuli: the chart does what OTP's own loop does, step for step. */
import fc from 'fast-check'
import t from 'tap'
import { StarfishError } from '../../src/messages/errors.ts'
import { createChartWorld } from './chart-world.ts'
import { type ModelChild, type ModelSpec, OtpModel } from './otp-model.ts'
import { children as listed, story } from './suite.ts'
import type { ConformanceWorld, WorldSupervisor } from './world.ts'

const childIds = ['a', 'b', 'c', 'd', 'e']

const anyChild = fc.record({
  restart: fc.constantFrom('permanent', 'permanent', 'transient', 'temporary'),
  significant: fc.boolean(),
  starts: fc.array(fc.constantFrom('run', 'run', 'run', 'run', 'fail', 'ignore'), { minLength: 1, maxLength: 6 }),
})

const anySpec: fc.Arbitrary<ModelSpec> = fc
  .record({
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    intensity: fc.nat(6),
    periodMs: fc.constantFrom(10, 1_000),
    autoShutdown: fc.constantFrom('never', 'never', 'any_significant', 'all_significant'),
    children: fc.array(anyChild, { minLength: 1, maxLength: 5 }),
  })
  .map(spec => ({
    ...spec,
    children: spec.children.map((child, n) => ({
      ...child,
      id: childIds[n]!,
      significant: child.significant && spec.autoShutdown !== 'never' && child.restart !== 'permanent',
      // most come up at first, so that there is something to look at
      starts: n % 2 === 0 ? ['run', ...child.starts] : child.starts,
    })) as ModelChild[],
  }))

const someIds = fc.uniqueArray(fc.constantFrom(...childIds), { minLength: 1, maxLength: 4 })
const anyId = fc.constantFrom(...childIds)
const anyStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('end'), ids: someIds, how: fc.constantFrom('normal', 'threw') }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('terminateChild'), id: anyId }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('restartChild'), id: anyId }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deleteChild'), id: anyId }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('advance'), ms: fc.constantFrom(1, 10, 11, 1_000) }) },
) as fc.Arbitrary<
  | { type: 'end'; ids: string[]; how: 'normal' | 'threw' }
  | { type: 'terminateChild' | 'restartChild' | 'deleteChild'; id: string }
  | { type: 'advance'; ms: number }
>
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

/** What happened in the chart and in the model. */
async function run(spec: ModelSpec, steps: readonly Step[]) {
  const world = createChartWorld()
  for (const { id, starts } of spec.children) world.script(id, { starts })
  const specs = spec.children.map(({ id, restart, significant }) => world.actor(id, { restart, significant }))
  const model = new OtpModel(spec)
  const seen: unknown[] = []
  const wanted: unknown[] = []
  const supervisor = await world.supervise({ id: 'top', ...spec, children: specs }).catch(error => {
    if (!(error instanceof StarfishError)) throw error
    return undefined
  })
  if (supervisor !== undefined) await walk(world, supervisor, model, steps, seen, wanted)
  const exit = supervisor?.exit()
  const chart = { log: story(world), answers: seen, exit: exit?.type === 'shutdown' ? (exit.detail ?? '') : exit }
  await world.close()
  const isUp = supervisor !== undefined
  return [
    { ...chart, isUp },
    {
      log: model.log,
      answers: wanted,
      exit: isUp ? model.exit : undefined,
      isUp: model.exit !== 'failed_to_start_child',
    },
  ]
}

async function walk(
  world: ConformanceWorld,
  supervisor: WorldSupervisor,
  model: OtpModel,
  steps: readonly Step[],
  seen: unknown[],
  wanted: unknown[],
): Promise<void> {
  for (const step of steps) {
    if (model.exit !== undefined || supervisor.exit() !== undefined) return
    if (step.type === 'advance') {
      model.advance(step.ms)
      await world.advance(step.ms)
    } else if (step.type === 'end') {
      const ids = step.ids.filter(id => model.running(id) && world.running(id) !== undefined)
      model.end(ids, step.how)
      await world.exit(Object.fromEntries(ids.map(id => [id, step.how === 'threw' ? 'abnormal' : 'normal'] as const)))
    } else {
      wanted.push(model[step.type](step.id))
      seen.push(
        await supervisor[step.type](step.id).then(
          () => 'ok',
          error => error.code,
        ),
      )
    }
    if (supervisor.exit() !== undefined) return
    wanted.push(model.states)
    seen.push(await listed(supervisor))
  }
  model.stop()
  await supervisor.stop()
}

t.test('the chart and the loop of OTP agree on order, answers and exits', { timeout: 60_000 }, async t => {
  const ends: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(anySpec, fc.array(anyStep, { minLength: 1, maxLength: 15 }), async (spec, steps) => {
      const [chart, model] = await run(spec, steps)
      ends[`${model!.exit}`] = (ends[`${model!.exit}`] ?? 0) + 1
      return JSON.stringify(chart) === JSON.stringify(model)
    }),
    { numRuns: 1_000, seed: 20 },
  )
  for (const end of ['', 'reached_max_restart_intensity', 'auto_shutdown', 'undefined'])
    t.ok(ends[end]! > 20, `${end || 'stop'}: ${ends[end]} runs`)
})
