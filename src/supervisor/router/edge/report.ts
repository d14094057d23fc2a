/** What was lost when an edge closed. */
import type { Envelope } from '../../../messages/thread/envelope.ts'
import type { SettledMessage } from './slot-table.ts'

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
  /** What the other thread itself counted as handled, in shared memory: from `handled` to `handled + inHand`. */
  readonly handledByReceiver: number
  /**
   * The messages under way at the close, in the order they were sent; at most `reportMax`, and those known to be
   * handled are left out first.
   */
  readonly fates: readonly SettledMessage[]
  /** Messages accepted and never posted, control first, each lane in its order: to be held for a replacement, or dead letters. */
  readonly unsent: readonly Envelope[]
}

/** What {@link createEdgeReport} counts from. */
export interface EdgeReportFacts {
  readonly sent: number
  /** Messages seen to be handled before the close. */
  readonly handled: number
  readonly refused: number
  readonly notClonable: number
  /** As the receiver counted, modulo 2^32. */
  readonly handledByReceiver: number
  readonly underWay: readonly SettledMessage[]
  readonly unsent: readonly Envelope[]
  readonly reportMax: number
}

/** Adds up what came back before the close and what was under way at it. */
export function createEdgeReport(facts: EdgeReportFacts): EdgeReport {
  const counts = { handled: facts.handled, inHand: 0, unprocessed: 0, lost: 0, refused: facts.refused }
  for (const { fate } of facts.underWay) counts[fate]++
  return {
    sent: facts.sent,
    ...counts,
    notClonable: facts.notClonable,
    // The two counts lie close together, so 32 bits tell how far.
    handledByReceiver: counts.handled + ((facts.handledByReceiver - counts.handled) | 0),
    fates: mostTelling(facts.underWay, facts.reportMax),
    unsent: facts.unsent,
  }
}

function mostTelling(underWay: readonly SettledMessage[], limit: number): readonly SettledMessage[] {
  if (underWay.length <= limit) return underWay
  const unhandled = underWay.filter(({ fate }) => fate !== 'handled')
  if (unhandled.length >= limit) return unhandled.slice(0, limit)
  let spare = limit - unhandled.length
  return underWay.filter(({ fate }) => fate !== 'handled' || spare-- > 0)
}
