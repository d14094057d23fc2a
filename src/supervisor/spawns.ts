/**
 * How children that depend on no sibling are supervised: each event concerns one child and is dealt with at once.
 */

import type { ChildFact } from '../messages/thread/child-fact.ts'
import type { ActorExit, ExitReason } from '../messages/thread/exit.ts'
import type { ReplyToken, SupervisorCommand, SupervisorEvent } from './child-host.ts'
import { enterRestart, type RestartWindow } from './intensity.ts'
import { startError } from './start-error.ts'
import { afterExit } from './strategy.ts'
import { admitChild, childNamed, takeCommand } from './supervisor-commands.ts'
import { awaitRestart, reportTermination } from './supervisor-decisions.ts'
import { forgetChild, markStarted, refuseCommand, reportShutdown, settleEnded, startedChild } from './supervisor-job.ts'
import {
  type Child,
  childOf,
  createSupervisorState,
  isDue,
  type SupervisorInput,
  type SupervisorState,
} from './supervisor-state.ts'

/** A supervisor with a budget per child. Of a child that never failed and waits for nothing the three maps hold nothing. */
export interface SpawnsState extends SupervisorState {
  /** The restarts of each child that was ever restarted. */
  readonly windows: WeakMap<Child, RestartWindow>
  /** Who waits for the first start of a child. */
  readonly starts: WeakMap<Child, ReplyToken>
  /** Who waits for the end of a child. */
  readonly stops: WeakMap<Child, ReplyToken[]>
}

/** A supervisor with a budget per child, without children. */
export function createSpawnsState(input: SupervisorInput): SpawnsState {
  return { ...createSupervisorState(input), windows: new WeakMap(), starts: new WeakMap(), stops: new WeakMap() }
}

/** Handles an event. */
export function takeSpawnEvent(state: SpawnsState, event: SupervisorEvent): void {
  switch (event.type) {
    case 'child.started':
    case 'child.ignored':
    case 'child.startFailed':
    case 'child.exited': {
      const child = childOf(state, event)
      if (child !== undefined) takeFact(state, child, event)
      break
    }
    case 'supervisor.tryAgain':
    case 'supervisor.backoffElapsed': {
      const child = childOf(state, event)
      if (child?.life.state !== 'restarting') break
      if (event.type === 'supervisor.tryAgain') restart(state, child, child.data.failure!, false)
      else child.life.send({ type: 'child.start', cause: 'restart' })
      break
    }
    case 'supervisor.stop':
      stop(state, event.reason)
      break
    case 'supervisor.next':
      break
    default:
      if (state.ending === undefined) command(state, event)
      else refuseCommand(state, event)
  }
}

function command(state: SpawnsState, event: SupervisorCommand): void {
  if (event.type === 'supervisor.startChild') {
    const child = admitChild(state, event)
    if (child === undefined) return
    state.starts.set(child, event.reply)
    child.life.send({ type: 'child.start', cause: 'startChild' })
  } else if (event.type === 'supervisor.terminateChild') terminate(state, event)
  else takeCommand(state, event)
}

function terminate(state: SpawnsState, event: { readonly id: string; readonly reply: ReplyToken }): void {
  const child = childNamed(state, event)
  if (child === undefined) return
  const waiting = state.stops.get(child)
  if (waiting === undefined) state.stops.set(child, [event.reply])
  else waiting.push(event.reply)
  endSoon(state, child)
}

/** Ends a child in whatever state it is; one that is being started ends when that is through. */
function endSoon(state: SpawnsState, child: Child): void {
  if (isDue(child)) end(state, child)
  else child.life.send({ type: 'child.shutdown' })
}

/** A child is gone: it is forgotten, and who waited for that is told. */
function end(state: SpawnsState, child: Child): void {
  const waiting = state.stops.get(child) ?? []
  forgetChild(state, child)
  settleEnded(state, child)
  for (const reply of waiting) state.host.answer(reply, { ok: undefined })
}

function takeFact(state: SpawnsState, child: Child, event: ChildFact): void {
  if (event.type === 'child.exited') takeExit(state, child, event.exit)
  else if (child.life.state !== 'starting') return
  else if (event.type === 'child.started') takeStarted(state, child, event)
  else if (event.type === 'child.ignored') takeIgnored(state, child)
  else takeStartFailed(state, child, event)
}

function takeIgnored(state: SpawnsState, child: Child): void {
  child.life.send({ type: 'child.ignored' })
  answerStart(state, child, reply => state.host.answer(reply, { ok: { id: child.id, actor: undefined } }))
  end(state, child)
}

function takeStarted(state: SpawnsState, child: Child, event: ChildFact & { type: 'child.started' }): void {
  markStarted(state, child, event.place)
  answerStart(state, child, reply => state.host.answer(reply, { ok: startedChild(child) }))
  if (isUnwanted(state, child)) child.life.send({ type: 'child.shutdown' })
}

function takeStartFailed(state: SpawnsState, child: Child, event: ChildFact & { type: 'child.startFailed' }): void {
  const { id } = child
  const { incarnation, reason } = event
  child.life.send({ type: 'child.startFailed' })
  state.host.report({ type: 'child.startFailed', id, incarnation, reason, cause: child.data.cause })
  const isFirst = answerStart(state, child, reply =>
    state.host.answer(reply, { error: startError(state.host.addressOf(id), reason) }),
  )
  if (isFirst || isUnwanted(state, child)) end(state, child)
  else {
    child.life.send({ type: 'child.await', failure: reason })
    state.host.post({ type: 'supervisor.tryAgain', id, incarnation })
  }
}

function isUnwanted(state: SpawnsState, child: Child): boolean {
  return state.ending !== undefined || state.stops.has(child)
}

function answerStart(state: SpawnsState, child: Child, answer: (reply: ReplyToken) => void): boolean {
  if (!state.starts.has(child)) return false
  const reply = state.starts.get(child)
  state.starts.delete(child)
  answer(reply)
  return true
}

function takeExit(state: SpawnsState, child: Child, exit: ActorExit): void {
  const from = child.life.state
  child.life.send({ type: 'child.exited', exit })
  if (child.life.state === from) return
  if (from !== 'running') {
    reportShutdown(state, child, exit.reason)
    end(state, child)
    return
  }
  const outcome = afterExit(child.spec.restart, exit.reason)
  reportTermination(state, child, exit, outcome)
  if (outcome === 'restart') restart(state, child, exit.reason, true)
  else {
    child.life.send({ type: 'child.forget' })
    settleEnded(state, child)
  }
}

/** Restarts a child that failed if its own budget allows, else ends it and nothing beside it. */
function restart(state: SpawnsState, child: Child, failure: ExitReason, ran: boolean): void {
  const window = state.windows.get(child) ?? []
  state.windows.set(child, window)
  if (!enterRestart(window, state.spec, state.clock.now())) {
    state.host.report({ type: 'child.gaveUp', id: child.id, reason: failure })
    child.life.send({ type: 'child.forget' })
    settleEnded(state, child)
    return
  }
  state.host.hold(child.id)
  if (awaitRestart(state, child, failure, ran)) child.life.send({ type: 'child.start', cause: 'restart' })
}

function stop(state: SpawnsState, reason: ExitReason = { type: 'shutdown' }): void {
  if (state.ending !== undefined) return
  state.ending = reason
  for (const child of [...state.children.values()]) endSoon(state, child)
}
