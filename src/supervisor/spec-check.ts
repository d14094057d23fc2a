/**
 * Checks specs before anything is started, and fills in what was left out. All that is wrong is said at once, each fault
 * with the path of the option that has it.
 */
import { StarfishError } from '../messages/errors.ts'
import type {
  ActorSpec,
  AutoShutdown,
  Budget,
  ChildSpec,
  ResolvedActorSpec,
  ResolvedChildSpec,
  ResolvedSupervisorSpec,
  SupervisorSpec,
} from './child-spec.ts'
import { actorDefaults, supervisorDefaults } from './child-spec.ts'
import {
  checkBackoff,
  checkMailbox,
  checkPlacement,
  intensityMax,
  timerMsMax,
  withoutUndefined,
} from './option-check.ts'
import { createFaults, type Faults } from './spec-faults.ts'

const restarts = ['permanent', 'transient', 'temporary'] as const
const strategies = ['one_for_one', 'one_for_all', 'rest_for_one'] as const
const autoShutdowns = ['never', 'any_significant', 'all_significant'] as const
const restores = ['fresh', 'snapshot'] as const

/** What the supervisor of a child decides of it. */
export interface ParentOptions extends Budget {
  readonly autoShutdown: AutoShutdown
}

/**
 * Checks and fills in a supervisor at the top of a tree, with all that it contains.
 *
 * @throws StarfishError BAD_SPEC whose `details.reasons` are all its faults, `{ path, reason }` each.
 */
export function resolveSupervisorSpec(spec: SupervisorSpec): ResolvedSupervisorSpec {
  const faults = createFaults()
  const resolved = isRecord(spec) ? supervisor(spec, undefined, faults) : notASpec(spec, faults)
  faults.throwIfAny()
  return resolved as ResolvedSupervisorSpec
}

/**
 * Checks and fills in a child that is added to a supervisor which runs.
 *
 * @throws StarfishError BAD_SPEC, as {@link resolveSupervisorSpec}.
 */
export function resolveChildSpec(spec: ChildSpec, parent: ParentOptions): ResolvedChildSpec {
  const faults = createFaults()
  const resolved = child(spec, parent, faults)
  faults.throwIfAny()
  return resolved as ResolvedChildSpec
}

function child(spec: ChildSpec, parent: ParentOptions | undefined, faults: Faults): ResolvedChildSpec | undefined {
  if (!isRecord(spec)) return notASpec(spec, faults)
  return isSupervisorSpec(spec) ? supervisor(spec, parent, faults) : actor(spec, parent, faults)
}

function notASpec(spec: unknown, faults: Faults): undefined {
  faults.add('', `is no specification but ${spec === null ? 'null' : typeof spec}`)
}

const supervisorOptions = ['strategy', 'intensity', 'periodMs', 'autoShutdown', 'children', 'dynamic', 'maxChildren']

function isSupervisorSpec(spec: ChildSpec): spec is SupervisorSpec {
  return !('definition' in spec) && supervisorOptions.some(option => option in spec)
}

function actor(spec: ActorSpec, parent: ParentOptions | undefined, faults: Faults): ResolvedActorSpec {
  const { moduleUrl, exportName } = isRecord(spec.definition) ? spec.definition : {}
  if (typeof moduleUrl !== 'string' || typeof exportName !== 'string')
    faults.add('definition', 'is missing or no definition; make one with defineActor')
  const { initTimeoutMs = actorDefaults.initTimeoutMs, restore = actorDefaults.restore } = spec
  faults.whole('initTimeoutMs', initTimeoutMs, 1, timerMsMax)
  faults.oneOf('restore', restore, restores)
  checkPlacement(spec.shard, faults)
  checkMailbox(spec.mailbox, faults)
  return {
    ...childOptions(spec, actorDefaults, parent, faults),
    kind: 'actor',
    definition: spec.definition,
    input: spec.input,
    shard: spec.shard ?? actorDefaults.shard,
    mailbox: spec.mailbox ?? {},
    restore,
    initTimeoutMs,
  }
}

function supervisor(spec: SupervisorSpec, parent: ParentOptions | undefined, faults: Faults): ResolvedSupervisorSpec {
  const filled = { ...supervisorDefaults, ...withoutUndefined(spec) }
  const { strategy, intensity, periodMs, autoShutdown, dynamic, maxChildren, budgetPerChild } = filled
  faults.oneOf('strategy', strategy, strategies)
  faults.whole('intensity', intensity, 0, intensityMax)
  faults.whole('periodMs', periodMs, 1, timerMsMax)
  faults.oneOf('autoShutdown', autoShutdown, autoShutdowns)
  faults.boolean('dynamic', dynamic)
  faults.boolean('budgetPerChild', budgetPerChild)
  faults.whole('maxChildren', maxChildren, 0, Number.MAX_SAFE_INTEGER)
  if (dynamic) checkDynamic(filled, faults)
  else if (budgetPerChild) faults.add('budgetPerChild', 'is for dynamic supervisors')
  return {
    ...childOptions(spec, supervisorDefaults, parent, faults),
    kind: 'supervisor',
    strategy,
    intensity,
    periodMs,
    autoShutdown,
    dynamic,
    maxChildren,
    budgetPerChild,
    children: children(spec, { intensity, periodMs, autoShutdown, maxChildren }, faults),
  }
}

function checkDynamic(
  spec: { strategy: unknown; autoShutdown: unknown; children?: readonly unknown[] | undefined },
  faults: Faults,
): void {
  if (spec.strategy !== 'one_for_one') faults.add('strategy', 'of a dynamic supervisor can only be one_for_one')
  if (spec.autoShutdown !== 'never') faults.add('autoShutdown', 'of a dynamic supervisor can only be never')
  if (spec.children !== undefined && spec.children.length > 0)
    faults.add('children', 'of a dynamic supervisor are started one by one, not specified')
}

function children(
  spec: SupervisorSpec,
  parent: ParentOptions & { maxChildren: number },
  faults: Faults,
): ResolvedChildSpec[] {
  const { children: specs = [] } = spec
  if (!Array.isArray(specs)) {
    faults.add('children', 'is no array')
    return []
  }
  if (parent.maxChildren >= 0 && specs.length > parent.maxChildren)
    faults.add('children', `are ${specs.length}, more than maxChildren (${parent.maxChildren})`)
  const firstOf = new Map<unknown, number>()
  return specs.flatMap((each: ChildSpec, index) => {
    const within = faults.within(`children[${index}]`)
    const resolved = child(each, parent, within)
    if (resolved === undefined) return []
    const first = firstOf.get(resolved.id)
    if (first === undefined) firstOf.set(resolved.id, index)
    else within.add('id', `${JSON.stringify(resolved.id)} is that of children[${first}] too`)
    return [resolved]
  })
}

function childOptions(
  spec: ChildSpec,
  defaults: typeof actorDefaults | typeof supervisorDefaults,
  parent: ParentOptions | undefined,
  faults: Faults,
) {
  const { id, restart = defaults.restart, shutdown = defaults.shutdown, significant = defaults.significant } = spec
  if (typeof id !== 'string' || id === '') faults.add('id', 'is missing, empty or no string')
  faults.oneOf('restart', restart, restarts)
  if (shutdown !== 'brutal_kill' && shutdown !== 'infinity')
    faults.whole('shutdown', shutdown, 0, timerMsMax, 'brutal_kill, infinity or ')
  faults.boolean('significant', significant)
  if (significant === true && restart === 'permanent')
    faults.add('significant', 'is not for permanent children: they never end for good')
  if (significant === true && parent?.autoShutdown === 'never')
    faults.add('significant', 'has no meaning under a supervisor whose autoShutdown is never')
  return { id, restart, shutdown, significant, backoff: checkBackoff(spec.backoff, restart, parent, faults) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Whether an error is the one that the functions of this module throw. */
export function isBadSpec(error: unknown): error is StarfishError {
  return error instanceof StarfishError && error.code === 'BAD_SPEC'
}
