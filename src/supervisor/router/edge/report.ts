/** What was lost when an edge closed. */
import type { Envelope, Fate } from '../../../messages/thread/envelope.ts'

/**
 * Exact account of one direction of an edge at its close:
 * `sent = handled + inHand + unprocessed + lost + refused`, each counted, none by subtraction.
 */
export interface EdgeReport {
  /** Messages posted to the other thread over the life of the edge. */
  readonly sent: number
  /** Those whose handler ended. */
  readonly handled: number
  /** Those whose handler had begun and not ended. */
  readonly inHand: number
  /** Those that the other thread had read, and whose handler had not begun. */
  readonly unprocessed: number
  /** Those that the other thread never read. */
  readonly lost: number
  /** Those that the other thread would not take. */
  readonly refused: number
  /** Messages that were refused here because they could not be cloned; not among `sent`. */
  readonly notClonable: number
  /** What the other thread itself counted as handled, in shared memory. */
  readonly handledByReceiver: number
  /** The messages under way at the close, in the order sent, those not handled first to be kept; at most `reportMax`. */
  readonly fates: readonly { readonly message: Envelope; readonly fate: Fate }[]
  /** Messages accepted and never posted, control first, each lane in its order: to be held for a replacement, or dead letters. */
  readonly unsent: readonly Envelope[]
}
