/** What becomes of the messages that were under way to a thread when it ended. */
import type { Envelope } from '../../messages/thread/envelope.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { kernelAddress } from '../../messages/thread/kernel-message.ts'
import { actorDiedError } from '../kernel/delivery-errors.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { EdgeReport } from './edge/report.ts'
import { type Peer, routeOf } from './peer.ts'

/** What goes to the next worker, in the order it was sent. */
export interface Remainder {
  /** Messages that a planned end has left untouched. */
  readonly again: ReadonlySet<Envelope>
  /** Messages that were never posted. */
  readonly unsent: ReadonlySet<Envelope>
}

/**
 * Fails the requests and lists the dead letters of an edge that has closed, and says what is left. After a planned end,
 * unless all is over, that is also what was posted and not begun; after any other the rule is that nothing is sent again.
 */
export function settleAccount(
  kernel: Kernel,
  peer: Peer,
  report: EdgeReport,
  reason: ExitReason,
  isOver: boolean,
): Remainder {
  const unsent = new Set(report.unsent)
  failAsks(kernel, peer, reason, unsent)
  const isPlanned = peer.draining && reason.type === 'shutdown' && !isOver
  const untouched = isPlanned ? report.fates.filter(({ fate }) => fate !== 'handled' && fate !== 'inHand') : []
  const again = new Set(untouched.map(({ message }) => message).filter(({ requestId }) => requestId === 0))
  addDeadLetters(kernel, report, reason, again)
  return { again, unsent }
}

function failAsks(kernel: Kernel, peer: Peer, reason: ExitReason, unsent: ReadonlySet<Envelope>): void {
  const { shard, incarnation } = peer
  kernel.asks.fail(
    envelope => {
      const route = routeOf(envelope)
      return route?.peer === peer && route.incarnation === incarnation && !unsent.has(envelope)
    },
    (envelope, handled) =>
      actorDiedError({ address: envelope.to, incarnation: 0, shard, reason }, envelope.event.type, handled),
  )
}

/** Lists what was sent and not handled as dead letters; counts what the report could not list. */
function addDeadLetters(kernel: Kernel, report: EdgeReport, reason: ExitReason, again: ReadonlySet<Envelope>): void {
  const listed = { inHand: 0, unprocessed: 0, lost: 0 }
  for (const { message, fate } of report.fates) {
    if (fate === 'handled') continue
    if (fate !== 'refused') listed[fate]++
    if (again.has(message) || message.requestId !== 0 || message.to === kernelAddress) continue
    // A refusal is among the fates when the shard ended before it had said why.
    kernel.addDeadLetter(message, fate, `its shard ended: ${reason.type}`)
  }
  for (const fate of ['inHand', 'unprocessed', 'lost'] as const) {
    kernel.deadLetters.count(fate, report[fate] - listed[fate])
  }
}
