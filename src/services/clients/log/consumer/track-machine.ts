/**
 * What the track of a partition waits for: room, an answer, a position, or the end of a pause.
 *
 * Parent: a consumer, which has one for each of its partitions. Steps once a fetch, however many messages that brings.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> resting
 *   resting --> locating: track.go, the position is not known
 *   resting --> fetching: track.go
 *   locating --> resting: position.found
 *   fetching --> resting: fetch.answered, range.left
 *   fetching --> backingOff: fetch.hasty
 *   locating --> backingOff: request.failed
 *   fetching --> backingOff: request.failed
 *   backingOff --> resting: after backoff
 *   locating --> resting: track.seek
 *   fetching --> resting: track.seek
 *   backingOff --> resting: track.seek
 *   resting --> ended: track.end
 *   locating --> ended: track.end
 *   fetching --> ended: track.end
 *   backingOff --> ended: track.end
 *   ended --> [*]
 * ```
 * `resting` waits for its reader to make room. `locating` and `fetching` need no timer: their requests have deadlines.
 */
import { setup } from 'xstate'

/** What a track is told. */
export type TrackEvent =
  /** There is room for a fetch. */
  | { readonly type: 'track.go' }
  | { readonly type: 'position.found' }
  | { readonly type: 'fetch.answered' }
  /** It was answered, again, sooner than the server was asked to wait, and there is nothing new: the next one waits here. */
  | { readonly type: 'fetch.hasty' }
  /** The offset is not in range any more; where to go on is to be found. */
  | { readonly type: 'range.left' }
  /** And may be tried again. */
  | { readonly type: 'request.failed' }
  /** It goes on somewhere else. */
  | { readonly type: 'track.seek' }
  | { readonly type: 'track.end' }

/** The record that the chart runs on. */
export interface TrackFacts {
  readonly isPositionKnown: boolean
  /** The pause that the last failure asks for, or the last answer that came in haste. */
  readonly backoffMs: number
}

/** The record is held by reference: XState copies what a chart begins with. */
export interface TrackContext<F extends TrackFacts = TrackFacts> {
  readonly track: F
}

/** The chart. */
export const trackMachine = setup({
  types: { context: {} as TrackContext, events: {} as TrackEvent, input: {} as TrackFacts },
  guards: { isPositionKnown: ({ context: { track } }) => track.isPositionKnown },
  delays: { backoff: ({ context: { track } }) => track.backoffMs },
}).createMachine({
  id: 'track',
  context: ({ input }) => ({ track: input }),
  initial: 'resting',
  on: { 'track.end': '.ended' },
  states: {
    resting: {
      on: { 'track.go': [{ guard: 'isPositionKnown', target: 'fetching' }, { target: 'locating' }] },
    },
    locating: {
      on: { 'position.found': 'resting', 'request.failed': 'backingOff', 'track.seek': 'resting' },
    },
    fetching: {
      on: {
        'fetch.answered': 'resting',
        'fetch.hasty': 'backingOff',
        'range.left': 'resting',
        'request.failed': 'backingOff',
        'track.seek': 'resting',
      },
    },
    backingOff: {
      on: { 'track.seek': 'resting' },
      after: { backoff: 'resting' },
    },
    ended: { type: 'final' },
  },
})
