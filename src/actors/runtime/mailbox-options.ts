/** The bound of a mailbox, in a definition and in the spec of a child. */
import type { Faults } from '../../messages/option-faults.ts'

/** What a full mailbox does with one more message. */
export const overflows = ['reject', 'drop_oldest', 'drop_newest'] as const

/** One of {@link overflows}. */
export type Overflow = (typeof overflows)[number]

/** Options of a mailbox. What the spec of a child says counts, else what its definition says, else the default. */
export interface MailboxOptions {
  /** Messages that wait, the one in hand and the control lane not counted. 1,000 by default. */
  readonly messagesMax?: number
  /**
   * `reject` (the default) does not take the newcomer. The others take it, and in its place give up the message that
   * has waited longest (`drop_oldest`) or shortest (`drop_newest`, as Akka's `dropTail`: the first ones and the very
   * last are kept). What is not taken or given up becomes a dead letter, or fails its ask with MAILBOX_FULL.
   */
  readonly overflow?: Overflow
}

/** Checks the bound of a mailbox; undefined is none. */
export function checkMailbox(mailbox: unknown, faults: Faults): void {
  if (mailbox === undefined || !faults.options('mailbox', mailbox, ['messagesMax', 'overflow'])) return
  const { messagesMax, overflow }: Record<string, unknown> = { ...mailbox }
  const within = faults.within('mailbox')
  if (messagesMax !== undefined) within.whole('messagesMax', messagesMax, 1, Number.MAX_SAFE_INTEGER)
  if (overflow !== undefined) within.oneOf('overflow', overflow, overflows)
}
