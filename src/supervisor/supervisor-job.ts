/**
 * How a supervisor goes through a job: one child at a time, stops first, each answer before the next step.
 */
import { StarfishError } from '../messages/errors.ts'
import type { ChildFact, ChildPlace } from '../messages/thread/child-fact.ts'
import type { ExitReason } from '../messages/thread/exit.ts'
import type { StartedChild, SupervisorCommand } from './child-host.ts'
import { startError } from './start-error.ts'
import { forgoneOf, isShutdownError, staysDefined } from './strategy.ts'
import {
  type Child,
  causeOf,
  childOf,
  isDue,
  type Job,
  newJob,
  removeChild,
  type SupervisorState,
} from './supervisor-state.ts'

/**
 * Goes on with the job until it has to wait for a child, or is done. Afterwards `job.awaited` is the child to stop or to
 * start next (nothing has been asked of it yet), or there is no job.
 */
export function advance(state: SupervisorState): void {
  const { job } = state
  if (job === undefined) return
  for (; job.stopped < job.stop.length; job.stopped++) {
    const child = job.stop[job.stopped]!
    if (child.life.state === 'running') {
      job.awaited = child
      return
    }
    forgetChild(state, child)
    settleStopped(state, job, child)
  }
  job.awaited = job.start[job.started]
  if (job.awaited !== undefined) return
  if (job.kind === 'boot') state.host.ready()
  if (job.kind === 'terminate') state.host.answer(job.reply, { ok: undefined })
  if (job.kind !== 'end') state.job = undefined
}

type Exited = ChildFact & { readonly type: 'child.exited' }

/** Asks the awaited child to end, or to start. */
export function askAwaited(state: SupervisorState, what: 'stop' | 'start'): void {
  const job = state.job!
  const child = job.awaited!
  if (what === 'start') state.held.delete(child)
  child.life.send(what === 'stop' ? { type: 'child.shutdown' } : { type: 'child.start', cause: causeOf(job) })
}

/** The awaited child has ended, as it was told to. */
export function noteStopped(state: SupervisorState, event: Exited): void {
  const job = state.job!
  const child = job.awaited!
  job.stopped++
  child.life.send(event)
  reportShutdown(state, child, event.exit.reason)
  settleStopped(state, job, child)
}

/** Tells every running child of a dynamic supervisor to end; they do so side by side. */
export function stopAll(state: SupervisorState): void {
  for (const child of state.children.values()) child.life.send({ type: 'child.shutdown' })
}

/** One of the children of a dynamic supervisor that ends has ended. */
export function noteStoppedOne(state: SupervisorState, event: Exited): void {
  const child = childOf(state, event)
  if (child === undefined) return
  child.life.send(event)
  reportShutdown(state, child, event.exit.reason)
  settleEnded(state, child)
}

/** A child that does not run shall not come back. If it ended before it could be told to, that end is dealt with. */
export function forgetChild(state: SupervisorState, child: Child): void {
  if (child.life.state === 'down') reportShutdown(state, child, child.data.exit!.reason)
  child.life.send({ type: 'child.forget' })
}

/** Reports a child that was told to end and did so in an unexpected way. */
export function reportShutdown(state: SupervisorState, child: Child, reason: ExitReason): void {
  const { restart, shutdown } = child.spec
  if (isShutdownError(restart, shutdown, reason))
    state.host.report({ type: 'child.shutdownError', id: child.id, incarnation: child.data.incarnation, reason })
}

/** Says what becomes of a child that the job has stopped: it comes back with its group, or it has ended. */
function settleStopped(state: SupervisorState, job: Job, child: Child): void {
  if (job.kind === 'restart' && child.spec.restart !== 'temporary') hold(state, child)
  else settleEnded(state, child)
}

function hold(state: SupervisorState, child: Child): void {
  state.held.add(child)
  state.host.hold(child.id)
}

/** For a supervisor that is idle: children that no restart of their group brings back any more have ended for good. */
export function settleForgone(state: SupervisorState): void {
  if (state.held.size === 0) return
  const forgone = forgoneOf(state.spec.strategy, state.children.values(), state.held, isDue)
  for (const child of forgone) settleEnded(state, child)
}

/** A child has ended for good: messages to it are lost, and unless it stays defined it is forgotten. */
export function settleEnded(state: SupervisorState, child: Child): void {
  state.held.delete(child)
  state.host.release(child.id, 'ended')
  if (!staysDefined(child.spec.restart, state.spec.dynamic)) removeChild(state, child)
}

/** The awaited child runs. */
export function noteStarted(state: SupervisorState, event: ChildFact & { type: 'child.started' }): void {
  const job = state.job!
  const child = job.awaited!
  job.started++
  markStarted(state, child, event.place)
  answerStart(state, job, startedChild(child))
}

/** Takes down that a child runs, and lets it have the messages that waited for it. */
export function markStarted(state: SupervisorState, child: Child, place: ChildPlace): void {
  const { id, incarnation, cause, failures } = child.data
  child.life.send({ type: 'child.started', place, atMs: state.clock.now() })
  if (cause === 'restart') state.host.release(id, 'restarted')
  if (cause === 'startChild') forgetInput(child)
  state.host.report({ type: 'child.started', id, incarnation, cause, attempt: failures })
}

/** A temporary child is started once: what it was started with, perhaps large, is not kept. */
function forgetInput({ spec }: Child): void {
  if (spec.kind === 'actor' && spec.restart === 'temporary') (spec as { input: unknown }).input = undefined
}

/** The awaited child declined to start: it is defined without an actor, or forgotten. */
export function noteIgnored(state: SupervisorState): void {
  const job = state.job!
  const child = job.awaited!
  job.started++
  child.life.send({ type: 'child.ignored' })
  settleEnded(state, child)
  answerStart(state, job, { id: child.id, actor: undefined })
}

/** The awaited child could not be started: what follows depends on what it was started for. */
export function noteStartFailed(state: SupervisorState, event: ChildFact & { type: 'child.startFailed' }): void {
  const { reason, incarnation } = event
  const job = state.job!
  const child = job.awaited!
  const { id } = child
  child.life.send({ type: 'child.startFailed' })
  state.host.report({ type: 'child.startFailed', id, incarnation, reason, cause: child.data.cause })
  if (job.kind === 'boot') {
    beginEnd(state, { type: 'shutdown', detail: 'failed_to_start_child', culprit: { id, reason } })
    return
  }
  state.job = undefined
  if (job.kind === 'restart') {
    forgetStarts(state, job)
    child.life.send({ type: 'child.await', failure: reason })
    state.host.post({ type: 'supervisor.tryAgain', id, incarnation })
    return
  }
  state.host.release(id, 'ended')
  if (job.kind === 'startChild') removeChild(state, child)
  state.host.answer(job.reply, { error: startError(state.host.addressOf(id), reason) })
}

/** Of a restart that failed only the child that could not be started is tried again: it brings the others with it. */
function forgetStarts(state: SupervisorState, job: Job): void {
  for (const child of job.start.slice(job.started + 1)) {
    child.life.send({ type: 'child.forget' })
    hold(state, child)
  }
}

function answerStart(state: SupervisorState, job: Job, value: StartedChild): void {
  if (job.kind === 'startChild' || job.kind === 'restartChild') state.host.answer(job.reply, { ok: value })
}

/** A running child as the answer to the command that started it. */
export function startedChild(child: Child): StartedChild {
  const { incarnation, place } = child.data
  return { id: child.id, actor: { incarnation, place: place! } }
}

/** Settles that the supervisor ends with `reason`: no more commands, and all children are to stop, right to left. */
export function beginEnd(state: SupervisorState, reason: ExitReason): void {
  state.ending = reason
  for (let event = state.waiting.shift(); event !== undefined; event = state.waiting.shift())
    if ('reply' in event) refuseCommand(state, event)
  for (const child of [...state.children.values()]) {
    if (child.life.state === 'running') continue
    forgetChild(state, child)
    settleEnded(state, child)
  }
  state.job = newJob('end', { stop: state.spec.dynamic ? [] : [...state.children.values()].reverse() })
}

/** Answers a command that comes too late. */
export function refuseCommand(state: SupervisorState, command: SupervisorCommand): void {
  const message = `supervisor ${JSON.stringify(state.spec.id)} is stopping`
  state.host.answer(command.reply, { error: new StarfishError('SHUTTING_DOWN', message, { handled: 'no' }) })
}
