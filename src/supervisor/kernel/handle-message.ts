/**
 * The handling of one message: from the mailbox through one step of the chart to whatever follows from it.
 */
import type { Envelope } from '../../messages/thread/envelope.ts'
import { isCommand } from '../child-host.ts'
import type { ActorCell } from './cell.ts'
import { noReplyError } from './delivery-errors.ts'
import type { Kernel } from './kernel.ts'
import { takeCheckpoint } from './take-checkpoint.ts'

/** Handles a message that was just taken out of the mailbox of `cell`. Never throws. */
export function handleMessage(kernel: Kernel, cell: ActorCell, envelope: Envelope, nowMs: number): void {
  if (envelope.deadlineMs !== undefined && envelope.deadlineMs < nowMs) {
    expire(kernel, envelope)
    return
  }
  if (!envelope.receipts.start(envelope.token)) return
  const { engine } = cell
  if (engine === undefined) return
  const asked = envelope.requestId !== 0
  const before = engine.stateKey
  begin(kernel, cell, envelope, nowMs, asked)
  if (isForeign(cell, envelope)) {
    refuseForeign(kernel, cell, envelope)
    return
  }
  engine.step(cell.eventOf(envelope))
  if (cell.ended) return
  if (engine.end !== undefined) {
    kernel.lifecycle.endByChart(cell)
    return
  }
  if (cell.postponed) {
    putBack(cell, envelope)
  } else {
    if (asked && cell.settled === 'open') leaveUnanswered(kernel, cell, envelope, engine.stateKey !== before)
    cell.current = undefined
    envelope.receipts.finish(envelope.token)
  }
  if (engine.stateKey !== before) kernel.lifecycle.moved(cell, before)
  else if (cell.checkpointEveryMs >= 0) takeCheckpoint(kernel, cell)
}

function begin(kernel: Kernel, cell: ActorCell, envelope: Envelope, nowMs: number, asked: boolean): void {
  cell.current = envelope
  cell.currentAtMs = nowMs
  cell.settled = 'open'
  cell.postponed = false
  cell.currentToken = asked ? kernel.tokenOf(envelope) : undefined
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
  kernel.blackBox?.record(cell, envelope.event.type, cell.handled, nowMs)
  cell.record(envelope, nowMs)
}

/** The lane of the kernels is theirs alone; by the other one a supervisor takes commands only. */
function isForeign(cell: ActorCell, { lane, event }: Envelope): boolean {
  return cell.takesTokens && lane === 'normal' && !isCommand(event.type)
}

function refuseForeign(kernel: Kernel, cell: ActorCell, envelope: Envelope): void {
  if (cell.currentToken !== undefined) {
    kernel.reply(cell.currentToken, { ok: false, error: noReplyError(envelope, 'no') })
  }
  cell.current = undefined
  envelope.receipts.finish(envelope.token)
}

function putBack(cell: ActorCell, envelope: Envelope): void {
  if (cell.currentToken !== undefined) cell.openRequests.close(cell.currentToken)
  cell.current = undefined
  envelope.receipts.putBack(envelope.token)
  cell.mailbox.postpone(envelope)
}

/**
 * The chart neither replied nor kept the token: nobody will ever answer, so the asker is told now. One that has moved took
 * the request, whatever its new state takes.
 */
function leaveUnanswered(kernel: Kernel, cell: ActorCell, envelope: Envelope, hasMoved: boolean): void {
  const token = cell.currentToken
  if (token === undefined) return
  const handled = hasMoved || cell.engine?.handles(envelope.event.type) === true ? 'unknown' : 'no'
  kernel.reply(token, { ok: false, error: noReplyError(envelope, handled) })
}

function expire(kernel: Kernel, envelope: Envelope): void {
  envelope.receipts.refuse(envelope.token, 'ASK_TIMEOUT')
  kernel.addDeadLetter(envelope, 'expired', 'its deadline passed while it waited')
}
