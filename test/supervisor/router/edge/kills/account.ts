/** Holds what a sender was told against what the receiver, now gone, has counted for itself. */
import type { Ledger } from './ledger.ts'
import { loadLimits, type Told } from './load.ts'

/**
 * Every statement that should hold and does not, with all the figures. A thread that dies between an act and its note of it
 * is off by that one; where the sender closed the edge to a thread that lived on, those in hand may have gone either way.
 */
export function wrongStatements(told: Told, ledger: Ledger, fenced: boolean): string[] {
  const { sent, handled, inHand, unprocessed, lost, refused, handledByReceiver } = told.report
  const [delivered, begun, ended] = [ledger.get('delivered'), ledger.get('begun'), ledger.get('ended')]
  const byReceiver = ledger.get('refused')
  const statements: Record<string, boolean> = {
    'sent = handled + in hand + unprocessed + lost + refused': sent === handled + inHand + unprocessed + lost + refused,
    'accepted = sent + unsent + not clonable': told.accepted === sent + told.report.unsent + told.report.notClonable,
    'each message that cannot be cloned came back': told.notClonable === told.report.notClonable,
    'no more refusals were told than counted': told.refused <= refused,
    'handled <= ended by the receiver': handled <= ended,
    'ended by the receiver <= handled + in hand': ended <= handled + inHand,
    'begun by the receiver <= handled + in hand': begun <= handled + inHand,
    'delivered to the receiver = all but the lost': within(1, sent - lost, delivered),
    'per lane, the receiver saw the order sent': ledger.get('outOfOrder') === 0,
    'every ask settled once': told.settled === told.asks,
    'no ask that was told "no" had begun': told.toldNo.every(requestId => !ledger.isMarked(requestId)),
    'the list of fates is as long as it may be': told.report.listed <= loadLimits.reportMax,
  }
  if (!fenced) {
    statements['the receiver was at one message at most'] = ended - handled <= 1
    statements['the edge counts for the receiver as the receiver does'] = within(1, handledByReceiver, ended)
    statements['begun by the receiver = handled + in hand'] = within(1, handled + inHand, begun)
    statements['refused = refused by the receiver'] = within(1, refused, byReceiver)
  }
  const figures = JSON.stringify({ ...told, toldNo: told.toldNo.length, delivered, begun, ended, byReceiver })
  return Object.keys(statements)
    .filter(statement => !statements[statement])
    .map(statement => `${statement}: ${figures}`)
}

function within(tolerance: number, one: number, other: number): boolean {
  return Math.abs(one - other) <= tolerance
}
