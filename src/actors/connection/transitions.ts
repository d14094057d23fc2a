/** The decisions of a connection: pure functions of its record, the limits and the time. */
import type { ServerLimits } from '../../messages/limits.ts'
import type { PartialFrame } from '../../messages/wire/frame-decoder.ts'
import { type ConnectionEvent, connectionEvents } from './events.ts'

/** Reasons why a connection decodes no further frame for now; bits of one number. */
export const halt = {
  /** Output is above its high-water mark. */
  blocked: 1,
  /** As many requests are in flight as may be. */
  full: 2,
  /** Its last answer has been given: input is thrown away. */
  over: 4,
  /** As many requests of its shard are in flight as may be. */
  crowded: 8,
  /** Its part of this turn of the event loop is over. */
  yielded: 16,
} as const

/** What a connection does with whole requests. */
export type ConnectionMode = 'serving' | 'overloaded' | 'refusing'

/**
 * What the connection waits for now. The output comes first, since what blocks it blocks all; then room among the requests
 * in flight; then the input, by what it stopped in. Between two frames it waits for its handlers, if any is at work.
 */
export function awaited(halted: number, partial: PartialFrame | undefined, inFlight: number): ConnectionEvent {
  if ((halted & halt.blocked) !== 0) return connectionEvents.outputBlocked
  if ((halted & (halt.full | halt.crowded | halt.yielded)) !== 0) return connectionEvents.requestsFull
  if (partial === undefined) return inFlight > 0 ? connectionEvents.handlersAwaited : connectionEvents.requestAwaited
  return partial.stage === 'header' ? connectionEvents.headerBegun : connectionEvents.bodyBegun
}

/** Milliseconds until an idle connection is closed, from when it was last active. */
export function idleLeftMs(limits: ServerLimits, activeAtMs: number, nowMs: number): number {
  return Math.max(0, activeAtMs + limits.idleTimeoutMs - nowMs)
}

/** Milliseconds until a body is looked at: when it has stood still for too long, or at the end of its window. */
export function bodyLeftMs(limits: ServerLimits, partial: PartialFrame, activeAtMs: number, nowMs: number): number {
  const stallsAtMs = activeAtMs + limits.bodyStallTimeoutMs
  return Math.max(1, Math.min(stallsAtMs, partial.markAtMs + limits.bodyRateWindowMs) - nowMs)
}

/** True when a body stands still, or brought fewer bytes in the window that ends than it must. */
export function isBodyLate(limits: ServerLimits, partial: PartialFrame, activeAtMs: number, nowMs: number): boolean {
  if (nowMs - activeAtMs >= limits.bodyStallTimeoutMs) return true
  if (!isWindowOver(limits, partial, nowMs)) return false
  const { arrivedBytes, markBytes } = partial
  return (arrivedBytes - markBytes) * 1_000 < limits.bodyBytesPerSecondMin * limits.bodyRateWindowMs
}

/** True at the end of the window over which the rate of a body is measured. */
export function isWindowOver(limits: ServerLimits, { markAtMs }: PartialFrame, nowMs: number): boolean {
  return nowMs - markAtMs >= limits.bodyRateWindowMs
}

/** What is known of a peer that has not taken its output. */
export interface SlowReader {
  /** When it was given the time it has, and what it had taken by then. */
  readonly sinceMs: number
  readonly sinceBytes: number
  /** When it was last seen to have taken something, and how much it had taken. */
  readonly movedAtMs: number
  readonly movedBytes: number
}

/** How often in the time that output may stand still it is looked whether it does. */
const looks = 4

/** Milliseconds until a slow reader is looked at. */
export function writeLeftMs(limits: ServerLimits, { sinceMs }: SlowReader, nowMs: number): number {
  const stepMs = Math.ceil(limits.writeStallTimeoutMs / looks)
  return Math.max(1, Math.min(stepMs, sinceMs + limits.writeTimeoutMs - nowMs))
}

/** What is known of it at `nowMs`, when it has taken `takenBytes` in all. */
export function seenReading(
  limits: ServerLimits,
  { sinceMs, sinceBytes, movedAtMs, movedBytes }: SlowReader,
  takenBytes: number,
  nowMs: number,
): SlowReader {
  const renews = nowMs - sinceMs >= limits.writeTimeoutMs && takenBytes - sinceBytes >= limits.outputHighWaterBytes
  return {
    sinceMs: renews ? nowMs : sinceMs,
    sinceBytes: renews ? takenBytes : sinceBytes,
    movedAtMs: takenBytes === movedBytes ? movedAtMs : nowMs,
    movedBytes: takenBytes,
  }
}

/** True when it has taken nothing for too long, or too little in the time it had. */
export function isReaderLate(limits: ServerLimits, reader: SlowReader, nowMs: number): boolean {
  return nowMs - reader.movedAtMs >= limits.writeStallTimeoutMs || nowMs - reader.sinceMs >= limits.writeTimeoutMs
}

/** True when the cut or slow frame is still owed an answer: its header was accepted and its body was not whole. */
export function owesAnswer(partial: PartialFrame | undefined): partial is PartialFrame {
  return partial !== undefined && partial.stage === 'body'
}

/** What {@link isFull} looks at. */
export interface InFlightFigures {
  readonly size: number
  readonly inFlightBytes: number
  readonly waitingReplyBytes: number
}

/** True when no further request may be taken before one is answered. */
export function isFull(limits: ServerLimits, figures: InFlightFigures): boolean {
  return (
    figures.size >= limits.inFlightRequestsMax ||
    figures.inFlightBytes >= limits.inFlightBytesMax ||
    figures.waitingReplyBytes > limits.outputHighWaterBytes
  )
}
