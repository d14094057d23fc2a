/** The account of what an incarnation leaves behind: the message in hand, requests it has kept, its mailbox. */
import { type ActorExit, isAbnormal } from '../../messages/thread/exit.ts'
import type { ActorCell } from './cell.ts'
import { actorDiedError } from './delivery-errors.ts'
import type { Kernel } from './kernel.ts'

/** Tells each asker whether its request was handled, and lists what nobody asked about among the dead letters. */
export function settleMessages(kernel: Kernel, cell: ActorCell, exit: ActorExit): void {
  const { turn } = cell
  const inHand = turn?.message
  if (turn !== undefined && inHand !== undefined) {
    turn.message = undefined
    if (inHand.requestId === 0 && isAbnormal(exit.reason)) kernel.addDeadLetter(inHand, 'inHand', exit.reason.type)
    inHand.receipts.finish(inHand.token)
    if (turn.settled === 'open' && turn.token !== undefined) {
      kernel.reply(turn.token, { ok: false, error: actorDiedError(exit, inHand.event.type, 'unknown') })
    }
  }
  for (const { token, type } of cell.openRequests.drain()) {
    kernel.reply(token, { ok: false, error: actorDiedError(exit, type, 'unknown') })
  }
  for (const envelope of cell.mailbox.drain()) {
    kernel.dropAdmitted(envelope, 'ACTOR_DIED', actorDiedError(exit, envelope.event.type, 'no'))
  }
}
