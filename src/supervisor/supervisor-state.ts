/**
 * What a supervisor knows: the context of its chart. One mutable record per supervisor, changed by its actions only.
 */
import type { Clock, Random } from '../actors/runtime/clock.ts'
import type { ExitReason } from '../messages/thread/exit.ts'
import type { ChildHost, ReplyToken, StartCause, SupervisorEvent } from './child-host.ts'
import { type ChildLife, childLives } from './child-life.ts'
import type { ChildRecord } from './child-machine.ts'
import type { ResolvedChildSpec, ResolvedSupervisorSpec } from './child-spec.ts'
import { Fifo } from './fifo.ts'
import type { CountedLosses, RestartWindow } from './intensity.ts'

/** What the chart of a supervisor is started with. */
export interface SupervisorInput {
  readonly spec: ResolvedSupervisorSpec
  readonly host: ChildHost
  readonly clock: Clock
  readonly random: Random
}

/** One child of a supervisor. */
export interface Child {
  readonly id: string
  readonly spec: ResolvedChildSpec
  /** Its record, which its chart works on. */
  readonly data: ChildRecord
  readonly life: ChildLife
  /** Anything but defined without an actor. */
  readonly active: boolean
}

/** What a supervisor is in the middle of: children to stop, then children to start, one after the other. */
export interface Job {
  readonly kind: 'boot' | 'restart' | 'terminate' | 'startChild' | 'restartChild' | 'end'
  /** In the order in which they are to stop. */
  readonly stop: readonly Child[]
  /** In the order in which they are to start. */
  readonly start: readonly Child[]
  /** Where `stop` and `start` have got to. */
  stopped: number
  started: number
  /** The child whose exit or start the supervisor waits for. */
  awaited: Child | undefined
  /** Of the command that it carries out. */
  readonly reply?: ReplyToken
}

/** A supervisor. */
export interface SupervisorState extends SupervisorInput {
  readonly newLife: (data: ChildRecord) => ChildLife
  /** In start order; what is added goes last. */
  readonly children: Map<string, Child>
  /** Those without an actor that a restart of their group is to bring back: messages to them are held. */
  readonly held: Set<Child>
  readonly restarts: RestartWindow
  readonly losses: CountedLosses
  /** Events that came while it was busy, oldest first. */
  readonly waiting: Fifo<SupervisorEvent>
  job: Job | undefined
  /** What it ends with, once that is settled. */
  ending: ExitReason | undefined
}

/** A supervisor that has done nothing yet. */
export function createSupervisorState(input: SupervisorInput): SupervisorState {
  const state: SupervisorState = {
    ...input,
    newLife: childLives(input.clock),
    children: new Map(),
    held: new Set(),
    restarts: [],
    losses: new Map(),
    waiting: new Fifo(),
    job: undefined,
    ending: undefined,
  }
  for (const spec of input.spec.children) addChild(state, spec)
  return state
}

/** Defines a child behind the others, without starting it. */
export function addChild(state: SupervisorState, spec: ResolvedChildSpec): Child {
  const data: ChildRecord = {
    id: spec.id,
    spec,
    host: state.host,
    incarnation: 0,
    cause: 'boot',
    failures: 0,
    startedAtMs: 0,
    place: undefined,
    exit: undefined,
    failure: undefined,
    delayMs: 0,
  }
  const life = state.newLife(data)
  const child: Child = {
    id: spec.id,
    spec,
    data,
    life,
    get active() {
      return life.state !== 'absent'
    },
  }
  state.children.set(spec.id, child)
  return child
}

/** It failed and is to be started again, at once or after a wait. */
export function isDue({ life }: Child): boolean {
  return life.state === 'restarting' || life.state === 'backingOff'
}

/** Forgets a child and its spec. */
export function removeChild(state: SupervisorState, child: Child): void {
  child.life.stop()
  state.children.delete(child.id)
}

/** The child that an event speaks of, unless it speaks of an incarnation that is over. */
export function childOf(
  state: SupervisorState,
  event: { readonly id: string; readonly incarnation: number },
): Child | undefined {
  const child = state.children.get(event.id)
  return child?.data.incarnation === event.incarnation ? child : undefined
}

/** A job that has yet to begin. */
export function newJob(
  kind: Job['kind'],
  plan: { readonly stop?: readonly Child[]; readonly start?: readonly Child[] },
  reply?: ReplyToken,
): Job {
  const { stop = [], start = [] } = plan
  return { kind, stop, start, stopped: 0, started: 0, awaited: undefined, ...(reply === undefined ? {} : { reply }) }
}

/** Why the children that a job starts are started. */
export function causeOf(job: Job): StartCause {
  return job.kind === 'boot' || job.kind === 'startChild' || job.kind === 'restartChild' ? job.kind : 'restart'
}

/** Forgets the timers of all children. */
export function disposeChildren(state: SupervisorState): void {
  for (const child of state.children.values()) child.life.stop()
}

/**
 * For the kernel, when the actor of a supervisor has ended unasked (killed, or an action threw): what it leaves behind.
 * As OTP's links would, the kernel kills each, and no supervisor deals with their exits.
 *
 * @returns the children that live or are being started, right to left.
 */
export function abandon(state: SupervisorState): { readonly id: string; readonly incarnation: number }[] {
  const living = new Set(['starting', 'running', 'stopping', 'stoppingPatiently', 'killing'])
  const orphans = [...state.children.values()].filter(child => living.has(child.life.state)).reverse()
  disposeChildren(state)
  return orphans.map(({ id, data }) => ({ id, incarnation: data.incarnation }))
}
