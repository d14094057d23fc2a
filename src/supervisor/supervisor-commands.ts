/**
 * The commands of a supervisor's handle: `supervisor:start_child/2` and its kin, under OTP's rules and answers.
 */
import { type ErrorCode, StarfishError } from '../messages/errors.ts'
import type { ChildCounts, ChildEntry, ReplyToken, SupervisorCommand } from './child-host.ts'
import type { ResolvedChildSpec } from './child-spec.ts'
import { isBadSpec, resolveChildSpec } from './spec-check.ts'
import { settleEnded } from './supervisor-job.ts'
import { addChild, type Child, isDue, newJob, removeChild, type SupervisorState } from './supervisor-state.ts'

type Command<TType extends SupervisorCommand['type']> = Extract<SupervisorCommand, { type: TType }>

/** How much may wait for a busy supervisor before a further command is answered OVERLOADED. */
export const commandsWaitingMax = 10_000

/** Carries a command out, or answers why not. */
export function takeCommand(state: SupervisorState, command: SupervisorCommand): void {
  switch (command.type) {
    case 'supervisor.startChild':
      startChild(state, command)
      break
    case 'supervisor.terminateChild':
      terminateChild(state, command)
      break
    case 'supervisor.restartChild':
      restartChild(state, command)
      break
    case 'supervisor.deleteChild':
      deleteChild(state, command)
      break
    case 'supervisor.whichChildren':
      whichChildren(state, command)
      break
    case 'supervisor.countChildren':
      state.host.answer(command.reply, { ok: countChildren(state) })
      break
    case 'supervisor.childSpec': {
      const child = childNamed(state, command)
      if (child !== undefined) state.host.answer(command.reply, { ok: child.spec })
    }
  }
}

function startChild(state: SupervisorState, command: Command<'supervisor.startChild'>): void {
  const child = admitChild(state, command)
  if (child !== undefined) state.job = newJob('startChild', { start: [child] }, command.reply)
}

/** Defines the child of a startChild, or answers why it cannot be had. */
export function admitChild(state: SupervisorState, command: Command<'supervisor.startChild'>): Child | undefined {
  const { children, spec } = state
  let childSpec: ResolvedChildSpec
  try {
    childSpec = resolveChildSpec(command.spec, spec)
  } catch (error) {
    if (!isBadSpec(error)) throw error
    state.host.answer(command.reply, { error })
    return undefined
  }
  const present = children.get(childSpec.id)
  if (present === undefined && children.size < spec.maxChildren) return addChild(state, childSpec)
  const code = present === undefined ? 'MAX_CHILDREN' : presentCode(present)
  refuse(state, command.reply, code, childSpec.id, { maxChildren: spec.maxChildren })
  return undefined
}

function presentCode(child: Child): ErrorCode {
  const { state } = child.life
  return state === 'absent' || isRestarting(child) ? 'CHILD_ALREADY_PRESENT' : 'CHILD_ALREADY_STARTED'
}

function terminateChild(state: SupervisorState, command: Command<'supervisor.terminateChild'>): void {
  const child = childNamed(state, command)
  if (child !== undefined) state.job = newJob('terminate', { stop: [child] }, command.reply)
}

function restartChild(state: SupervisorState, command: Command<'supervisor.restartChild'>): void {
  const child = endedChildNamed(state, command)
  if (child === undefined) return
  child.data.failures = 0
  state.job = newJob('restartChild', { start: [child] }, command.reply)
}

function deleteChild(state: SupervisorState, command: Command<'supervisor.deleteChild'>): void {
  const child = endedChildNamed(state, command)
  if (child === undefined) return
  settleEnded(state, child)
  removeChild(state, child)
  state.host.answer(command.reply, { ok: undefined })
}

function whichChildren(state: SupervisorState, command: Command<'supervisor.whichChildren'>): void {
  const { id, reply } = command
  if (id === undefined) {
    state.host.answer(reply, { ok: Array.from(state.children.values(), entryOf) })
    return
  }
  const child = childNamed(state, { id, reply })
  if (child !== undefined) state.host.answer(reply, { ok: [entryOf(child)] })
}

function entryOf(child: Child): ChildEntry {
  const { id, spec, data } = child
  const { kind } = spec
  if (isRunning(child) || child.life.state === 'down')
    return { id, kind, state: 'running', actor: { incarnation: data.incarnation, place: data.place! } }
  return { id, kind, state: isRestarting(child) ? 'restarting' : 'undefined' }
}

function countChildren(state: SupervisorState): ChildCounts {
  let active = 0
  let supervisors = 0
  for (const child of state.children.values()) {
    if (isRunning(child)) active++
    if (child.spec.kind === 'supervisor') supervisors++
  }
  const specs = state.children.size
  return { specs, active, supervisors, workers: specs - supervisors }
}

function isRunning(child: Child): boolean {
  const { state } = child.life
  return state === 'running' || state === 'stopping' || state === 'stoppingPatiently' || state === 'killing'
}

function isRestarting(child: Child): boolean {
  return isDue(child) || child.life.state === 'starting'
}

/** The child a command names, or undefined once the command has been answered that there is none. */
export function childNamed(
  state: SupervisorState,
  command: { readonly id: string; readonly reply: ReplyToken },
): Child | undefined {
  const child = state.children.get(command.id)
  if (child === undefined) refuse(state, command.reply, 'CHILD_NOT_FOUND', command.id)
  return child
}

/** The child a command names, which must not run or be about to, or undefined once the command has been answered. */
function endedChildNamed(
  state: SupervisorState,
  command: { readonly id: string; readonly reply: ReplyToken },
): Child | undefined {
  if (state.spec.dynamic) {
    refuse(state, command.reply, 'DYNAMIC_SUPERVISOR', command.id)
    return undefined
  }
  const child = childNamed(state, command)
  if (child === undefined || !child.active) return child
  refuse(state, command.reply, isRestarting(child) ? 'CHILD_RESTARTING' : 'CHILD_RUNNING', command.id)
  return undefined
}

/** Answers a command that finds too many others waiting. */
export function refuseOverload(state: SupervisorState, command: SupervisorCommand): void {
  const message = `${commandsWaitingMax} events wait for supervisor ${JSON.stringify(state.spec.id)}`
  const details = { supervisor: state.spec.id, waitingMax: commandsWaitingMax }
  state.host.answer(command.reply, { error: new StarfishError('OVERLOADED', message, { details, handled: 'no' }) })
}

const refusals: Partial<Record<ErrorCode, string>> = {
  CHILD_ALREADY_PRESENT: 'is defined already and does not run',
  CHILD_ALREADY_STARTED: 'runs already',
  CHILD_NOT_FOUND: 'does not exist',
  CHILD_RESTARTING: 'is being restarted',
  CHILD_RUNNING: 'runs',
  DYNAMIC_SUPERVISOR: 'belongs to a dynamic supervisor',
  MAX_CHILDREN: 'would be one child too many',
}

function refuse(
  state: SupervisorState,
  reply: ReplyToken,
  code: ErrorCode,
  id: string,
  details: Readonly<Record<string, unknown>> = {},
): void {
  const message = `child ${JSON.stringify(id)} of supervisor ${JSON.stringify(state.spec.id)} ${refusals[code]}`
  const error = new StarfishError(code, message, { details: { id, supervisor: state.spec.id, ...details } })
  state.host.answer(reply, { error })
}
