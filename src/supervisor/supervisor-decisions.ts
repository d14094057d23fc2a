/**
 * What a supervisor that is free makes of an event: often the beginning of a job.
 */
import { type ActorExit, type ExitReason, isAbnormal } from '../messages/thread/exit.ts'
import { backoffMs, failuresInARow } from './backoff.ts'
import type { SupervisorEvent, SupervisorTick } from './child-host.ts'
import { backoffDefaults } from './child-spec.ts'
import { enterRestart, isNewFailure } from './intensity.ts'
import { afterExit, endsSupervisor, isReplaced, planRestart } from './strategy.ts'
import { commandsWaitingMax, refuseOverload, takeCommand } from './supervisor-commands.ts'
import { beginEnd, refuseCommand, settleEnded } from './supervisor-job.ts'
import { type Child, childOf, newJob, type SupervisorState } from './supervisor-state.ts'

/** Handles an event when no job is under way. */
export function takeEvent(state: SupervisorState, event: SupervisorEvent): void {
  switch (event.type) {
    case 'child.exited':
      takeExit(state, event)
      break
    case 'supervisor.tryAgain':
    case 'supervisor.backoffElapsed':
      takeTick(state, event)
      break
    case 'supervisor.stop':
      beginEnd(state, event.reason ?? { type: 'shutdown' })
      break
    case 'supervisor.next':
    case 'child.started':
    case 'child.ignored':
    case 'child.startFailed':
      break
    default:
      takeCommand(state, event)
  }
}

/** Takes down that a child has ended by itself; what follows is decided when its turn comes. */
export function noteExit(state: SupervisorState, event: SupervisorEvent): boolean {
  if (event.type !== 'child.exited') return false
  const child = childOf(state, event)
  if (child?.life.state !== 'running') return false
  child.life.send(event)
  return true
}

/** Puts an event off until the supervisor is free. One that ends takes nothing up any more. */
export function deferEvent(state: SupervisorState, event: SupervisorEvent): void {
  if (event.type.startsWith('child.') && !noteExit(state, event)) return
  const isCommand = 'reply' in event
  if (state.ending !== undefined) {
    if (isCommand) refuseCommand(state, event)
  } else if (isCommand && state.waiting.size >= commandsWaitingMax) refuseOverload(state, event)
  else state.waiting.push(event)
}

function takeExit(state: SupervisorState, event: SupervisorEvent & { type: 'child.exited' }): void {
  const child = childOf(state, event)
  const exit = child?.data.exit
  if (child?.life.state !== 'down' || exit === undefined) return
  const { reason } = exit
  if (isReplaced(exit) && child.spec.restart !== 'temporary') {
    comeBack(state, child, reason)
    return
  }
  const outcome = afterExit(child.spec.restart, reason)
  reportTermination(state, child, exit, outcome)
  if (outcome === 'restart') {
    restart(state, child, reason, exit)
    return
  }
  child.life.send({ type: 'child.forget' })
  settleEnded(state, child)
  if (endsSupervisor(state.spec.autoShutdown, child, state.children.values()))
    giveUp(state, 'auto_shutdown', child, reason)
}

/** Starts a child on the next worker of its shard: no failure, so no budget, no pause, and nothing for its group. */
function comeBack(state: SupervisorState, child: Child, reason: ExitReason): void {
  state.host.hold(child.id)
  child.life.send({ type: 'child.await', failure: reason })
  state.job = newJob('restart', { start: [child] })
}

/** Reports the end of a child, unless it was to be expected. */
export function reportTermination(
  state: SupervisorState,
  child: Child,
  exit: ActorExit,
  outcome: 'restart' | 'end',
): void {
  if (outcome === 'end' && !isAbnormal(exit.reason)) return
  const { id, incarnation } = child.data
  state.host.report({ type: 'child.terminated', id, incarnation, reason: exit.reason, outcome })
}

function takeTick(state: SupervisorState, event: Exclude<SupervisorTick, { type: 'supervisor.next' }>): void {
  const child = childOf(state, event)
  if (child?.life.state !== 'restarting') return
  if (event.type === 'supervisor.backoffElapsed') tryStart(state, child)
  else restart(state, child, child.data.failure!)
}

/** Restarts a child that failed, with its group, if the budget allows. A failed start counts as much as an exit. */
function restart(state: SupervisorState, child: Child, failure: ExitReason, exit?: ActorExit): void {
  const counts = exit === undefined || isNewFailure(state.losses, exit)
  if (counts && !enterRestart(state.restarts, state.spec, state.clock.now())) {
    child.life.send({ type: 'child.forget' })
    settleEnded(state, child)
    giveUp(state, 'reached_max_restart_intensity', child, failure)
    return
  }
  state.host.hold(child.id)
  if (awaitRestart(state, child, failure, exit !== undefined)) tryStart(state, child)
  else {
    const { stop } = planRestart(state.spec.strategy, state.children.values(), child)
    if (stop.length > 0) state.job = newJob('restart', { stop })
  }
}

/**
 * Sets a child that failed to `restarting`, or to `backingOff` when it has to wait.
 *
 * @returns whether it can be started at once.
 */
export function awaitRestart(state: SupervisorState, child: Child, failure: ExitReason, ran: boolean): boolean {
  const { data, life, spec } = child
  const { backoff } = spec
  data.failures = ran
    ? failuresInARow(backoff ?? backoffDefaults, data.failures, data.startedAtMs, state.clock.now())
    : data.failures + 1
  if (backoff === undefined) {
    life.send({ type: 'child.await', failure })
    return true
  }
  const delayMs = backoffMs(backoff, data.failures, state.random())
  life.send({ type: 'child.backOff', failure, delayMs })
  state.host.report({ type: 'child.backingOff', id: child.id, failures: data.failures, delayMs })
  return false
}

function tryStart(state: SupervisorState, child: Child): void {
  state.job = newJob('restart', planRestart(state.spec.strategy, state.children.values(), child))
}

function giveUp(state: SupervisorState, detail: string, child: Child, cause: ExitReason): void {
  const reason: ExitReason = { type: 'shutdown', detail, culprit: { id: child.id, reason: cause } }
  state.host.report({ type: 'supervisor.gaveUp', reason })
  beginEnd(state, reason)
}
