/**
 * Checks specs before anything is started, and fills in what was left out. All that is wrong is said at once, each fault
 * with the path of the option that has it.
 */
import type { ActorFields } from '../actors/runtime/child.ts'
import { checkMailbox } from '../actors/runtime/mailbox-options.ts'
import { StarfishError } from '../messages/errors.ts'
import { createFaults, type Faults } from '../messages/option-faults.ts'
import type {
  AutoShutdown,
  Budget,
  ChildSpec,
  ResolvedActorSpec,
  ResolvedChildSpec,
  ResolvedSupervisorSpec,
  SupervisorSpec,
} from './child-spec.ts'
import { actorDefaults, supervisorDefaults } from './child-spec.ts'
import { addressFault, idFault } from './id-check.ts'
import { isDefinition } from './kernel/definition-loader.ts'
import { actorsSupervisor } from './kernel/well-known.ts'
import { checkBackoff, checkPlacement, intensityMax, timerMsMax, withoutUndefined } from './option-check.ts'

const restarts = ['permanent', 'transient', 'temporary'] as const
const strategies = ['one_for_one', 'one_for_all', 'rest_for_one'] as const
const autoShutdowns = ['never', 'any_significant', 'all_significant'] as const
const restores = ['fresh', 'snapshot'] as const

/** `kind` is in specs that were filled in before: they are taken too. */
const childOptionNames = ['id', 'backoff', 'kind']
const actorOptionNames = [...childOptionNames, ...Object.keys(actorDefaults), 'definition', 'input', 'mailbox']
const ownOfSupervisors = ['children', ...Object.keys(supervisorDefaults).filter(option => !(option in actorDefaults))]
const supervisorOptionNames = [...childOptionNames, ...Object.keys(supervisorDefaults), 'children']

/** What the supervisor of a child decides of it. */
export interface ParentOptions extends Budget {
  readonly id: string
  readonly autoShutdown: AutoShutdown
}

/**
 * Checks and fills in a supervisor at the top of a tree, with all that it contains.
 *
 * @throws StarfishError BAD_SPEC whose `details.reasons` are all its faults, `{ path, reason }` each.
 */
export function resolveSupervisorSpec(spec: SupervisorSpec): ResolvedSupervisorSpec {
  const faults = createFaults()
  const resolved = isSpec(spec) ? tree(spec, faults) : notASpec(spec, faults)
  faults.throwIfAny('BAD_SPEC', subject)
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
  faults.throwIfAny('BAD_SPEC', subject)
  return resolved as ResolvedChildSpec
}

const subject = 'bad specification'

function child(spec: unknown, parent: ParentOptions, faults: Faults): ResolvedChildSpec | undefined {
  if (!isSpec(spec)) return notASpec(spec, faults)
  return isSupervisor(spec) ? supervisor(spec, parent, faults) : actor(spec as unknown as ActorFields, parent, faults)
}

function tree(spec: SupervisorSpec, faults: Faults): ResolvedSupervisorSpec | undefined {
  if (!('definition' in spec)) return supervisor(spec, undefined, faults)
  faults.add('', 'is an actor, not a supervisor: wrap it in { id: …, children: [child(…)] }, or spawn it')
  return undefined
}

/** An object that is no mere definition, which is easily taken for the specification that `child` makes of it. */
function isSpec(spec: unknown): spec is Record<string, unknown> {
  return isRecord(spec) && !isDefinition(spec)
}

function notASpec(spec: unknown, faults: Faults): undefined {
  if (isDefinition(spec)) {
    const { exportName } = spec
    faults.add('', `is the definition ${exportName}: wrap it in child(${exportName}, { id: … })`)
  } else faults.add('', `is no specification but ${spec === null ? 'null' : typeof spec}`)
}

function isSupervisor(spec: object): spec is SupervisorSpec {
  return !('definition' in spec) && ownOfSupervisors.some(option => option in spec)
}

function actor(spec: ActorFields, parent: ParentOptions | undefined, faults: Faults): ResolvedActorSpec {
  const isNeither = !('definition' in spec)
  faults.options('', spec, isNeither ? [...supervisorOptionNames, ...actorOptionNames] : actorOptionNames)
  const { moduleUrl, exportName } = isRecord(spec.definition) ? spec.definition : {}
  if (isNeither) faults.add('definition', 'is missing: child() specifies an actor, and a supervisor has children')
  else if (typeof moduleUrl !== 'string' || typeof exportName !== 'string')
    faults.add('definition', 'is no definition: defineActor makes one')
  const { initTimeoutMs = actorDefaults.initTimeoutMs, restore = actorDefaults.restore } = spec
  faults.whole('initTimeoutMs', initTimeoutMs, 1, timerMsMax)
  faults.oneOf('restore', restore, restores)
  checkPlacement(spec.shard, faults)
  checkMailbox(spec.mailbox, faults)
  return {
    ...childOptions(spec, 'actor', parent, faults),
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
  faults.options('', spec, supervisorOptionNames)
  const filled = { ...supervisorDefaults, ...withoutUndefined(spec) }
  const { id, strategy, intensity, periodMs, autoShutdown, dynamic, maxChildren, budgetPerChild } = filled
  faults.oneOf('strategy', strategy, strategies)
  faults.whole('intensity', intensity, 0, intensityMax)
  faults.whole('periodMs', periodMs, 1, timerMsMax)
  faults.oneOf('autoShutdown', autoShutdown, autoShutdowns)
  checkPlacement(spec.shard, faults)
  faults.boolean('dynamic', dynamic)
  faults.boolean('budgetPerChild', budgetPerChild)
  faults.whole('maxChildren', maxChildren, 0, Number.MAX_SAFE_INTEGER)
  if (dynamic) checkDynamic(filled, faults)
  else if (budgetPerChild) faults.add('budgetPerChild', 'is for dynamic supervisors')
  return {
    ...childOptions(spec, 'supervisor', parent, faults),
    kind: 'supervisor',
    shard: filled.shard,
    strategy,
    intensity,
    periodMs,
    autoShutdown,
    dynamic,
    maxChildren,
    budgetPerChild,
    children: children(spec, { id, intensity, periodMs, autoShutdown, maxChildren }, faults),
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
  return specs.flatMap((each: unknown, index) => {
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
  spec: ActorFields | SupervisorSpec,
  kind: ResolvedChildSpec['kind'],
  parent: ParentOptions | undefined,
  faults: Faults,
) {
  const defaults = kind === 'actor' ? actorDefaults : supervisorDefaults
  const { id, restart = defaults.restart, shutdown = defaults.shutdown, significant = defaults.significant } = spec
  const isTop = parent === undefined || parent.id === actorsSupervisor
  const fault = isTop ? addressFault(id) : idFault(id)
  if (fault !== undefined) faults.add('id', fault)
  if ('kind' in spec && spec.kind !== kind) faults.add('kind', `is not ${kind}`)
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
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether an error is the one that the functions of this module throw. */
export function isBadSpec(error: unknown): error is StarfishError {
  return error instanceof StarfishError && error.code === 'BAD_SPEC'
}
