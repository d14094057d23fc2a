/**
 * What the lane of a partition waits for: whether its batches may be sent, or a failure is made good first.
 *
 * Parent: a producer, which has one for each partition that it has sent to. No batch and no answer steps it.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> flowing
 *   flowing --> settling: batch.failed, others are in flight
 *   flowing --> pausing: batch.failed, none is
 *   settling --> pausing: lane.settled
 *   pausing --> flowing: after pause
 *   flowing --> closed: lane.close
 *   settling --> closed: lane.close
 *   pausing --> closed: lane.close
 *   closed --> [*]
 * ```
 * Nothing follows a batch that failed until all that is in flight has ended: then those that failed are sent again in their
 * order, and the order of the partition is kept. `settling` needs no timer: what is in flight has deadlines.
 */
import { setup } from 'xstate'

/** What a lane is told. */
export type LaneEvent =
  /** An attempt failed, and the batch is to be sent again. */
  | { readonly type: 'batch.failed' }
  /** Nothing is in flight any more. */
  | { readonly type: 'lane.settled' }
  | { readonly type: 'lane.close' }

/** The record that the chart runs on. */
export interface LaneFacts {
  readonly hasInFlight: boolean
  /** The pause before what failed is sent again. */
  readonly pauseMs: number
}

/** The record is held by reference: XState copies what a chart begins with. */
export interface LaneContext<F extends LaneFacts = LaneFacts> {
  readonly lane: F
}

/** The chart. */
export const laneMachine = setup({
  types: { context: {} as LaneContext, events: {} as LaneEvent, input: {} as LaneFacts },
  guards: { hasInFlight: ({ context: { lane } }) => lane.hasInFlight },
  delays: { pause: ({ context: { lane } }) => lane.pauseMs },
}).createMachine({
  id: 'lane',
  context: ({ input }) => ({ lane: input }),
  initial: 'flowing',
  on: { 'lane.close': '.closed' },
  states: {
    flowing: {
      on: { 'batch.failed': [{ guard: 'hasInFlight', target: 'settling' }, { target: 'pausing' }] },
    },
    settling: {
      on: { 'lane.settled': 'pausing' },
    },
    pausing: {
      after: { pause: 'flowing' },
    },
    closed: { type: 'final' },
  },
})
