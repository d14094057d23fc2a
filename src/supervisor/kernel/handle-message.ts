/**
 * The handling of one message: from the mailbox through one step of the chart to whatever follows from it.
 */
import type { Envelope } from '../../messages/thread/envelope.ts'
import { isCommand } from '../child-host.ts'
import type { ActorCell, Turn } from './cell.ts'
import { noReplyError } from './delivery-errors.ts'
import type { Kernel } from './kernel.ts'
import { takeCheckpoint } from './take-checkpoint.ts'

/** Handles a message that was just taken out of the mailbox of `cell`, whose turn it is. Never throws. */
export function handleMessage(kernel: Kernel, cell: ActorCell, turn: Turn, envelope: Envelope): void {
  if (envelope.deadlineMs !== undefined && envelope.deadlineMs < turn.atMs) {
    expire(kernel, envelope)
    return
  }
  if (!envelope.receipts.start(envelope.token)) return
  const { engine } = cell
  if (engine === undefined) return
  const asked = envelope.requestId !== 0
  const before = engine.stateKey
  begin(kernel, cell, turn, envelope)
  if (isForeign(cell, envelope)) {
    refuseForeign(kernel, turn, envelope)
    return
  }
  engine.step(cell.eventOf(turn, envelope))
  if (cell.ended) return
  if (engine.end !== undefined) {
    kernel.lifecycle.endByChart(cell)
    return
  }
  if (turn.postponed) {
    putBack(cell, turn, envelope)
  } else {
    if (asked && turn.settled === 'open') leaveUnanswered(kernel, cell, turn, envelope, engine.stateKey !== before)
    turn.message = undefined
    envelope.receipts.finish(envelope.token)
  }
  if (engine.stateKey !== before) kernel.lifecycle.moved(cell, before)
  else if (cell.checkpointEveryMs >= 0) takeCheckpoint(kernel, cell)
}

function begin(kernel: Kernel, cell: ActorCell, turn: Turn, envelope: Envelope): void {
  const asked = envelope.requestId !== 0
  turn.message = envelope
  turn.settled = 'open'
  turn.postponed = false
  turn.token = asked ? kernel.tokenOf(envelope) : undefined
  if (kernel.facts.wants('event')) {
    kernel.facts.add({
      kind: 'event',
      address: envelope.to,
      incarnation: cell.incarnation,
      type: envelope.event.type,
      from: envelope.from,
      sequence: cell.handled,
      asked,
    })
  }
  kernel.blackBox?.record(cell, envelope.event.type, cell.handled, turn.atMs)
  cell.record(envelope, turn.atMs)
}

/** The lane of the kernels is theirs alone; by the other one a supervisor takes commands only. */
function isForeign(cell: ActorCell, { lane, event }: Envelope): boolean {
  return cell.takesTokens && lane === 'normal' && !isCommand(event.type)
}

function refuseForeign(kernel: Kernel, turn: Turn, envelope: Envelope): void {
  if (turn.token !== undefined) {
    kernel.reply(turn.token, { ok: false, error: noReplyError(envelope, 'no') })
  }
  turn.message = undefined
  envelope.receipts.finish(envelope.token)
}

function putBack(cell: ActorCell, turn: Turn, envelope: Envelope): void {
  if (turn.token !== undefined) cell.openRequests.close(turn.token)
  turn.message = undefined
  envelope.receipts.putBack(envelope.token)
  cell.mailbox.postpone(envelope)
}

/**
 * The chart neither replied nor kept the token: nobody will ever answer, so the asker is told now. One that has moved took
 * the request, whatever its new state takes.
 */
function leaveUnanswered(
  kernel: Kernel,
  cell: ActorCell,
  { token }: Turn,
  envelope: Envelope,
  hasMoved: boolean,
): void {
  if (token === undefined) return
  const handled = hasMoved || cell.engine?.handles(envelope.event.type) === true ? 'unknown' : 'no'
  kernel.reply(token, { ok: false, error: noReplyError(envelope, handled) })
}

function expire(kernel: Kernel, envelope: Envelope): void {
  envelope.receipts.refuse(envelope.token, 'ASK_TIMEOUT')
  kernel.addDeadLetter(envelope, 'expired', 'its deadline passed while it waited')
}
