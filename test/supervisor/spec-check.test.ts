import t from 'tap'
import { setup } from 'xstate'
import { type ActorSpec, child } from '../../src/actors/runtime/child.ts'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { StarfishError } from '../../src/messages/errors.ts'
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { isBadSpec, resolveChildSpec, resolveSupervisorSpec } from '../../src/supervisor/spec-check.ts'

const probe = defineActor('file:///probe.ts', 'probe', { machine: setup({}).createMachine({}) })
const actor = (options: object = {}): ActorSpec => ({ ...child(probe, { id: 'a' }), ...options })

function faultsOf(spec: unknown): string[] {
  try {
    resolveSupervisorSpec(spec as SupervisorSpec)
    return []
  } catch (error) {
    if (!isBadSpec(error)) throw error
    return (error.details['reasons'] as { path: string }[]).map(({ path }) => path)
  }
}
const childFaults = (options: object) => faultsOf({ id: 'top', children: [actor(options)] })

t.test('what is left out is filled in', async t => {
  const { children, ...supervisor } = resolveSupervisorSpec({ id: 'top', children: [actor({ restart: undefined })] })
  t.same(supervisor, {
    id: 'top',
    kind: 'supervisor',
    restart: 'permanent',
    shutdown: 'infinity',
    significant: false,
    shard: 'auto',
    backoff: undefined,
    strategy: 'one_for_one',
    intensity: 1,
    periodMs: 5_000,
    autoShutdown: 'never',
    dynamic: false,
    maxChildren: 100_000,
    budgetPerChild: false,
  })
  t.same(children, [
    {
      id: 'a',
      kind: 'actor',
      definition: probe,
      input: undefined,
      restart: 'permanent',
      shutdown: 5_000,
      significant: false,
      backoff: undefined,
      shard: 'auto',
      mailbox: {},
      restore: 'fresh',
      initTimeoutMs: 10_000,
    },
  ])
  const withBackoff = resolveSupervisorSpec({
    id: 'top',
    children: [actor({ backoff: { initialMs: 50, maxMs: undefined } })],
  })
  t.match(withBackoff.children[0]!.backoff, { initialMs: 50, maxMs: 30_000, factor: 2, jitter: 0.2, heldMax: 1_000 })
})

t.test('each option of a supervisor has its limits', async t => {
  const bad: [string, unknown[]][] = [
    ['strategy', ['simple_one_for_one', null]],
    ['intensity', [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '3', 10_001]],
    ['periodMs', [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2_147_483_648]],
    ['autoShutdown', ['sometimes', true]],
    ['maxChildren', [-1, Number.NaN, 0.5]],
    ['dynamic', ['yes']],
    ['children', ['none', {}]],
    ['restart', ['always']],
    ['shutdown', ['kill', -1, Number.NaN, Number.POSITIVE_INFINITY]],
    ['id', ['', 7, undefined]],
  ]
  for (const [option, values] of bad)
    for (const value of values)
      t.same(faultsOf({ id: 'top', intensity: 1, [option]: value }), [option], `${option}: ${String(value)}`)
  for (const value of [undefined, null, 'top', 3]) t.same(faultsOf(value), [''], String(value))
})

t.test('each option of an actor has its limits', async t => {
  const bad: [string, unknown[]][] = [
    ['definition', [undefined, null, 'probe', {}]],
    ['restart', ['always', null]],
    ['shutdown', ['soon', -1, 0.5, 2_147_483_648]],
    ['shard', ['some', 'every', -1, 0.5, { with: '' }, null]],
    ['restore', ['stale']],
    ['initTimeoutMs', [0, -1, Number.POSITIVE_INFINITY]],
    ['mailbox', [7, null]],
    ['backoff', [7, null]],
  ]
  for (const [option, values] of bad)
    for (const value of values)
      t.same(childFaults({ [option]: value }), [`children[0].${option}`], `${option}: ${value}`)
  t.same(childFaults({ mailbox: { messagesMax: 0, overflow: 'drop' } }), [
    'children[0].mailbox.messagesMax',
    'children[0].mailbox.overflow',
  ])
  for (const shard of ['auto', 'main', 0, 3, { with: 'node/probe' }]) t.same(childFaults({ shard }), [])
})

t.test('each option of a backoff has its limits', async t => {
  const bad: [string, unknown[]][] = [
    ['initialMs', [0, -1, 0.5]],
    ['maxMs', [0, 50]],
    ['factor', [0.9, Number.NaN, '2']],
    ['jitter', [-0.1, 1.1, Number.NaN]],
    ['resetAfterMs', [-1]],
    ['heldMax', [-1]],
  ]
  for (const [option, values] of bad)
    for (const value of values)
      t.ok(
        childFaults({ backoff: { [option]: value } }).includes(`children[0].backoff.${option}`),
        `${option}: ${value}`,
      )
  t.same(childFaults({ backoff: {}, restart: 'temporary' }), ['children[0].backoff'], 'it would never be used')
})

t.test('a backoff that makes giving up impossible is refused, with the figures', async t => {
  const children = [actor({ backoff: { initialMs: 1_000, maxMs: 1_000, jitter: 0 } })]
  t.same(faultsOf({ id: 'top', intensity: 5, periodMs: 5_000, children }), [])
  t.same(faultsOf({ id: 'top', intensity: 6, periodMs: 5_000, children }), ['children[0].backoff'])
  t.throws(() => resolveSupervisorSpec({ id: 'top', intensity: 6, periodMs: 5_000, children }), {
    message: /6 restarts in 5000 ms, but 6000 ms pass/,
  })
  const parent = { id: 'top', intensity: 6, periodMs: 5_000, autoShutdown: 'never' } as const
  t.throws(() => resolveChildSpec(children[0]!, parent), { code: 'BAD_SPEC' }, 'startChild checks it too')
})

t.test('every fault of a tree is told at once, with its path', async t => {
  const spec = {
    id: '',
    strategy: 'none',
    intensity: -1,
    children: [
      { id: 'sup', children: [actor({ restart: 'x' }), actor({ shutdown: -1 }), actor()], periodMs: 0 },
      'child',
      actor({ id: 'sup', significant: true }),
    ],
  }
  const paths = [
    'strategy',
    'intensity',
    'id',
    'children[0].periodMs',
    'children[0].children[0].restart',
    'children[0].children[1].shutdown',
    'children[0].children[1].id',
    'children[0].children[2].id',
    'children[1]',
    'children[2].significant',
    'children[2].significant',
    'children[2].id',
  ]
  t.same(faultsOf(spec).sort(), paths.sort())
  try {
    resolveSupervisorSpec(spec as never)
  } catch (error) {
    const { message } = error as StarfishError
    for (const path of paths) t.ok(message.includes(path), `the message tells of ${path}`)
  }
})

t.test('a dynamic supervisor is one_for_one, starts empty, and never shuts itself down', async t => {
  const dynamic = { id: 'top', dynamic: true }
  t.same(faultsOf(dynamic), [])
  t.same(faultsOf({ ...dynamic, strategy: 'one_for_all' }), ['strategy'])
  t.same(faultsOf({ ...dynamic, autoShutdown: 'any_significant' }), ['autoShutdown'])
  t.same(faultsOf({ ...dynamic, children: [actor()] }), ['children'])
  t.same(faultsOf({ ...dynamic, budgetPerChild: true }), [])
  t.same(faultsOf({ id: 'top', budgetPerChild: true, children: [] }), ['budgetPerChild'])
})

t.test('more children than maxChildren are refused', async t => {
  const children = [actor(), actor({ id: 'b' })]
  t.same(faultsOf({ id: 'top', maxChildren: 2, children }), [])
  t.same(faultsOf({ id: 'top', maxChildren: 1, children }), ['children'])
})

t.test('an option that is not known is a fault, with the one that was meant', async t => {
  for (const [options, path] of [
    [{ restrat: 'permanent' }, 'restrat'],
    [{ strategy: 'one_for_all' }, 'strategy'],
    [{ children: [] }, 'children'],
    [{ mailbox: { capacity: 5 } }, 'mailbox.capacity'],
    [{ backoff: { initial: 5 } }, 'backoff.initial'],
  ] as const)
    t.same(childFaults(options), [`children[0].${path}`])
  t.same(faultsOf({ id: 'top', children: [], input: 1, restore: 'fresh' }), ['input', 'restore'])
  t.same(faultsOf({ id: 'top', children: [], shard: -1 }), ['shard'])
  t.same(faultsOf({ id: 'top', children: [{ id: 'a', stratgy: 'one_for_all' }] }), [
    'children[0].stratgy',
    'children[0].definition',
  ])
  t.throws(() => resolveSupervisorSpec({ id: 'top', children: [actor({ restrat: 'permanent' })] }), {
    message: 'bad specification: children[0].restrat is not known: did you mean restart?',
  })
  t.same(childFaults({ restrat: undefined }), [], 'what is undefined was left out')
})

t.test('an id is one part of an address; that of the top may be an address', async t => {
  for (const id of ['a/b', '/', '$a', '', 7, undefined]) {
    t.same(childFaults({ id }), ['children[0].id'], `child ${id}`)
    t.same(faultsOf({ id: 'top', children: [{ id, children: [] }] }), ['children[0].id'], `supervisor ${id}`)
  }
  for (const id of ['a', 'a.b', 'a$', 'a b', 'é']) t.same(childFaults({ id }), [], id)
  for (const id of ['node/tree', 'a/b/c']) t.same(faultsOf({ id, children: [] }), [], id)
  for (const id of ['node/', '/tree', 'a//b', '$a', 'a/$b', '']) t.same(faultsOf({ id, children: [] }), ['id'], id)
})

t.test('a spec that was filled in is taken again as it is', async t => {
  const spec = {
    id: 'top',
    intensity: 3,
    children: [actor({ backoff: {}, mailbox: { messagesMax: 5 } }), { id: 'sup', children: [actor()] }],
  }
  const resolved = resolveSupervisorSpec(spec)
  t.same(resolveSupervisorSpec(resolved as unknown as SupervisorSpec), resolved)
  const parent = { id: 'top', intensity: 3, periodMs: 5_000, autoShutdown: 'never' } as const
  for (const child of resolved.children) {
    t.same(resolveChildSpec(child as unknown as ActorSpec, parent), child)
    const kind = child.kind === 'actor' ? 'supervisor' : 'actor'
    t.throws(() => resolveChildSpec({ ...child, kind } as unknown as ActorSpec, parent), {
      code: 'BAD_SPEC',
      details: { reasons: [{ path: 'kind' }] },
    })
  }
})
