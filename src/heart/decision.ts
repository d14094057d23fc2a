/**
 * What the small parent of a node decides, as a pure function: state and event in, state and acts out.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> starting: spawn
 *   starting --> up: node.ready
 *   starting --> killed: no beat, SIGKILL
 *   up --> killed: no beat, SIGKILL
 *   starting --> waiting: ended by a signal
 *   up --> waiting: ended by an error or a signal
 *   killed --> waiting: ended
 *   waiting --> starting: backoff passed, spawn
 *   starting --> ended: ended with a code
 *   up --> ended: ended with code 0, or was asked to stop
 *   waiting --> ended: too many restarts, or was asked to stop
 *   ended --> [*]
 * ```
 */
import { constants } from 'node:os'
import {
  beginWatch,
  diagnose,
  observe,
  type Watch,
  type WatchdogSample,
} from '../supervisor/shard/watchdog-decision.ts'

/** Periods and limits of a heart. */
export interface HeartLimits {
  /** How often the node says that it lives, ms. */
  readonly beatMs: number
  /** A node that could have said so and did not for this long is killed, ms. */
  readonly stuckAfterMs: number
  /** Pause before the first restart in a row, ms; it doubles with each, with jitter. */
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  /** A node that was up this long ends the row, ms. */
  readonly resetAfterMs: number
  /** The heart gives up after this many restarts in a row. */
  readonly restartsMax: number
  /** How long a node may take to end after the second SIGINT, ms. */
  readonly graceMs: number
  /** A SIGINT so soon after the one before is the same Ctrl-C once more, ms. */
  readonly echoMs: number
}

/** The values of a production node. */
export const defaultHeartLimits: HeartLimits = {
  beatMs: 1_000,
  stuckAfterMs: 10_000,
  backoffMinMs: 100,
  backoffMaxMs: 10_000,
  resetAfterMs: 10_000,
  restartsMax: 100,
  graceMs: 500,
  echoMs: 0,
}

/** What the parent knows. */
export interface HeartState {
  readonly phase: 'starting' | 'up' | 'killed' | 'waiting' | 'ended'
  /** The parent was asked to stop: whatever the node does, it is not started again. */
  readonly isStopping: boolean
  /** SIGINTs so far, echoes left out, and when the last came, ms. */
  readonly interrupts: number
  readonly interruptedAtMs: number
  /** Restarts in a row. */
  readonly restarts: number
  /** When the present node was ready, ms. */
  readonly readyAtMs: number | undefined
  /** The watch over the node's beats; missing until the first sample. */
  readonly watch: Watch | undefined
}

/** What happens to the parent. */
export type HeartEvent =
  | { readonly type: 'node.ready'; readonly atMs: number }
  /** A look at the node; its beats are the ticks of the sample. */
  | { readonly type: 'node.sampled'; readonly sample: WatchdogSample }
  | { readonly type: 'node.ended'; readonly end: NodeEnd; readonly atMs: number; readonly random: number }
  | { readonly type: 'signal.received'; readonly signal: PassedSignal; readonly atMs: number }
  | { readonly type: 'backoff.passed' }
  | { readonly type: 'grace.passed' }

/** How a node process ended; both are null when it could not be spawned. */
export interface NodeEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The signals that a parent passes on. */
export const passedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** One of {@link passedSignals}. */
export type PassedSignal = (typeof passedSignals)[number]

/** What the parent is to do. */
export type HeartAct =
  | { readonly type: 'node.spawn' }
  /** To the node alone, which passes nothing on. */
  | { readonly type: 'node.signal'; readonly signal: PassedSignal }
  /** SIGKILL to the node and all processes of its group. */
  | { readonly type: 'node.kill' }
  | { readonly type: 'backoff.wait'; readonly delayMs: number }
  | { readonly type: 'grace.wait'; readonly delayMs: number }
  | { readonly type: 'heart.say'; readonly text: string; readonly facts: Readonly<Record<string, unknown>> }
  | { readonly type: 'heart.end'; readonly code: number }

/** A state and what is to be done on the way into it. */
export interface HeartStep {
  readonly state: HeartState
  readonly acts: readonly HeartAct[]
}

/** The first step: spawns the node. */
export function beginHeart(): HeartStep {
  return spawn({
    phase: 'starting',
    isStopping: false,
    interrupts: 0,
    interruptedAtMs: Number.NEGATIVE_INFINITY,
    restarts: 0,
    readyAtMs: undefined,
    watch: undefined,
  })
}

/** Takes one event; an event that does not fit the phase changes nothing. */
export function decideHeart(state: HeartState, event: HeartEvent, limits: HeartLimits): HeartStep {
  if (state.phase === 'ended') return stay(state)
  switch (event.type) {
    case 'node.ready':
      return stay(state.phase === 'starting' ? { ...state, phase: 'up', readyAtMs: event.atMs } : state)
    case 'node.sampled':
      return sampled(state, event.sample, limits)
    case 'node.ended':
      return ended(state, event, limits)
    case 'signal.received':
      return signalled(state, event, limits)
    case 'backoff.passed':
      return state.phase === 'waiting' ? spawn({ ...state, phase: 'starting' }) : stay(state)
    case 'grace.passed':
      return isRunning(state) ? kill(state, 'the node does not end, it is killed', {}) : stay(state)
  }
}

function sampled(state: HeartState, sample: WatchdogSample, limits: HeartLimits): HeartStep {
  if (!isRunning(state)) return stay(state)
  const watchLimits = { intervalMs: limits.beatMs, stalledAfterMs: limits.stuckAfterMs }
  const watch = state.watch === undefined ? beginWatch(sample) : observe(state.watch, sample, watchLimits)
  const diagnosis = diagnose(watch, watchLimits)
  const next = { ...state, watch }
  // Unknown counts as stuck here: unlike a worker, a process can always be ended, and it said nothing for long.
  if (diagnosis === 'alive' || diagnosis === 'starved') return stay(next)
  return kill(next, 'the node does not answer, it is killed', { diagnosis, forMs: Math.round(watch.elapsedMs) })
}

function ended(state: HeartState, event: HeartEvent & { type: 'node.ended' }, limits: HeartLimits): HeartStep {
  const { end, atMs, random } = event
  if (state.isStopping && isUnheard(state, end)) return finish(state, 0)
  const isFinal = state.isStopping || end.code === 0 || (state.phase === 'starting' && end.code !== null)
  if (isFinal) return finish(state, exitCodeOf(end))
  const wasStable = state.readyAtMs !== undefined && atMs - state.readyAtMs >= limits.resetAfterMs
  const restarts = wasStable ? 0 : state.restarts
  if (restarts >= limits.restartsMax) {
    const step = finish(state, exitCodeOf(end))
    return { ...step, acts: [say('the node ended too often, the heart gives up', { ...end, restarts }), ...step.acts] }
  }
  const delayMs = backoffMs(restarts, random, limits)
  return {
    state: { ...state, phase: 'waiting', restarts: restarts + 1, readyAtMs: undefined, watch: undefined },
    acts: [say('the node ended and is started again', { ...end, delayMs }), { type: 'backoff.wait', delayMs }],
  }
}

function signalled(state: HeartState, event: HeartEvent & { type: 'signal.received' }, limits: HeartLimits): HeartStep {
  const { signal, atMs } = event
  if (state.phase === 'waiting') return finish(state, 0)
  const acts: HeartAct[] = [{ type: 'node.signal', signal }]
  const next = { ...state, isStopping: true }
  if (signal !== 'SIGINT') return { state: next, acts }
  if (atMs - state.interruptedAtMs < limits.echoMs) return stay(state)
  const interrupts = state.interrupts + 1
  if (interrupts === 2) acts.push({ type: 'grace.wait', delayMs: limits.graceMs })
  return { state: { ...next, interrupts, interruptedAtMs: atMs }, acts }
}

function spawn(state: HeartState): HeartStep {
  return { state, acts: [{ type: 'node.spawn' }] }
}

function kill(state: HeartState, text: string, facts: Readonly<Record<string, unknown>>): HeartStep {
  return { state: { ...state, phase: 'killed' }, acts: [say(text, facts), { type: 'node.kill' }] }
}

function finish(state: HeartState, code: number): HeartStep {
  return { state: { ...state, phase: 'ended' }, acts: [{ type: 'heart.end', code }] }
}

function stay(state: HeartState): HeartStep {
  return { state, acts: [] }
}

function say(text: string, facts: Readonly<Record<string, unknown>>): HeartAct {
  return { type: 'heart.say', text, facts }
}

/** True for a node that ended of the first signal passed on since it listened to none yet: it had nothing to finish. */
function isUnheard({ phase, interrupts }: HeartState, { signal }: NodeEnd): boolean {
  return phase === 'starting' && interrupts < 2 && passedSignals.some(passed => passed === signal)
}

function isRunning(state: HeartState): boolean {
  return state.phase === 'starting' || state.phase === 'up'
}

/** Doubles from the least to the most; the jitter takes away up to half. */
function backoffMs(restarts: number, random: number, { backoffMinMs, backoffMaxMs }: HeartLimits): number {
  return Math.round(Math.min(backoffMaxMs, backoffMinMs * 2 ** restarts) * (1 - random / 2))
}

/** As a shell tells it: the code, or 128 and the number of the signal. */
export function exitCodeOf({ code, signal }: NodeEnd): number {
  return code ?? (signal === null ? 1 : 128 + constants.signals[signal])
}
