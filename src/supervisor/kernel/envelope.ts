/**
 * A message inside one thread, on its way from arrival to the end of its handling.
 */
import type { ActorEvent } from '../../actors/runtime/actor-runtime.ts'
import type { ReplyToken } from '../../actors/runtime/runtime-actions.ts'

/** Which queue of a mailbox a message waits in. */
export type Lane = 'control' | 'normal'

/** What keeps the account of a message that came from another thread; the slot is the account's own. */
export interface MessageAccount {
  started(slot: number): void
  finished(slot: number): void
  refused(slot: number): void
}

/** A message in its mailbox. */
export interface Envelope {
  readonly event: ActorEvent
  /** Address of the sender, null outside actors. */
  readonly from: string | null
  readonly lane: Lane
  /** Set when it was asked. */
  readonly token: ReplyToken | null
  /** When the asker gives up, ms since the epoch; 0 for never. */
  readonly deadlineMs: number
  readonly admittedAtMs: number
  readonly account: MessageAccount | null
  readonly slot: number
}
