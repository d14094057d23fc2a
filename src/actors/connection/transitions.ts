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
} as const

/** What a connection does with whole requests. */
export type ConnectionMode = 'serving' | 'overloaded' | 'refusing'

/**
 * What the connection waits for now. The output comes first, since what blocks it blocks all; then the handlers; then
 * the input, by what it stopped in.
 */
export function awaited(halted: number, partial: PartialFrame | undefined): ConnectionEvent {
  if ((halted & halt.blocked) !== 0) return connectionEvents.outputBlocked
  if ((halted & halt.full) !== 0) return connectionEvents.handlersAwaited
  if (partial === undefined) return connectionEvents.requestAwaited
  return partial.stage === 'header' ? connectionEvents.headerBegun : connectionEvents.bodyBegun
}

/** Milliseconds until an idle connection is closed, from when it was last active. */
export function idleLeftMs(limits: ServerLimits, activeAtMs: number, nowMs: number): number {
  return Math.max(0, activeAtMs + limits.idleTimeoutMs - nowMs)
}

/** True when a body brought as many bytes in the last window as it must. */
export function keepsPace(limits: ServerLimits, partial: PartialFrame | undefined): boolean {
  if (partial === undefined) return true
  const { arrivedBytes, markBytes } = partial
  return (arrivedBytes - markBytes) * 1_000 >= limits.bodyBytesPerSecondMin * limits.bodyRateWindowMs
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
