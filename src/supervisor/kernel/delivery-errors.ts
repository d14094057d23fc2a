/** The errors with which a request is settled that was not answered. */
import { type Handled, StarfishError } from '../../messages/errors.ts'
import type { Envelope, Refusal } from '../../messages/thread/envelope.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { reasonText, thrownText } from '../../messages/thread/exit-text.ts'

/** A request that was refused as too late has an error of its own: see `Asks.timeOut`. */
type Refused = Exclude<Refusal, 'ASK_TIMEOUT'>

const refusalTexts: Record<Refused, (to: string, type: string) => string> = {
  ACTOR_DIED: (to, type) => `${to} ended before it took ${type}`,
  BAD_FRAME: (to, type) => `the codec of ${type}, sent to ${to}, cannot decode what it encoded`,
  MAILBOX_FULL: (to, type) => `the mailbox of ${to} is full: ${type} was not taken`,
  NOT_CLONABLE: (to, type) => `${type}, sent to ${to}, cannot be copied to another thread`,
  NO_SUCH_ACTOR: (to, type) => `no actor has the address ${to}: ${type} was not delivered`,
  OVERLOADED: (to, type) => `too many messages wait for the thread of ${to}: ${type} was not sent`,
  SHARD_DIED: (to, type) => `the shard of ${to} ended before it took ${type}`,
  SHUTTING_DOWN: (to, type) => `the system is stopping: ${type} to ${to} was not sent`,
}

/** A request was not taken; it was certainly not handled. */
export function refusalError(envelope: Envelope, reason: Refused, cause?: unknown): StarfishError {
  const { to, event } = envelope
  const details = { address: to, type: event.type }
  const why = reason === 'NOT_CLONABLE' && cause !== undefined ? `: ${thrownText(cause)}` : ''
  return new StarfishError(reason, refusalTexts[reason](to, event.type) + why, { details, handled: 'no', cause })
}

/** Who ended while a request waited for it. */
export interface Deceased {
  readonly address: string
  /** 0 where only its thread could have told. */
  readonly incarnation: number
  readonly shard: number
  readonly reason: ExitReason
}

/** The actor, or its shard, ended before it answered: who, which incarnation, why, and whether it may have handled it. */
export function actorDiedError(who: Deceased, type: string, handled: Handled): StarfishError {
  const { address, incarnation, shard, reason } = who
  const culprit = 'error' in reason ? reason.error : undefined
  const which = incarnation === 0 ? address : `${address} (incarnation ${incarnation})`
  return new StarfishError('ACTOR_DIED', `${which} ended before it answered ${type}: ${reasonText(reason)}`, {
    details: { address, ...(incarnation === 0 ? {} : { incarnation }), shard, type, reason: reason.type },
    handled,
    cause: culprit,
  })
}

/** The chart took the request, or no notice of it, and will never answer: it neither replied nor kept the reply token. */
export function noReplyError(envelope: Envelope, handled: Handled): StarfishError {
  const { to, event } = envelope
  const text =
    handled === 'no'
      ? `${to} takes no ${event.type} in its present state`
      : `${to} handled ${event.type} without a reply and kept no reply token`
  return new StarfishError('NO_REPLY', text, { details: { address: to, type: event.type }, handled })
}

/** The error of a delayed send that would be one too many for whoever delays it. */
export function delayedSendsError(sender: string, delayedSendsMax: number): StarfishError {
  return new StarfishError('OVERLOADED', `${sender} has ${delayedSendsMax} delayed sends waiting`, {
    details: { address: sender, delayedSendsMax },
    handled: 'no',
  })
}
