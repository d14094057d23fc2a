/**
 * What makes a server of datagrams speak this protocol and no other: a value that takes a datagram and answers it. The
 * socket, the limits, and how much may be sent to whom are the same for all.
 *
 * `receive` is called once for each datagram. It answers at once (`path.reserve`), takes a token (`path.defer`) and settles
 * it later from anywhere on the thread, or does neither: silence. An answer is one datagram.
 */
import type { ReplyPath } from './protocol.ts'

/** What became of a datagram. */
export const verdict = {
  /** It went to its handler, and has been answered or will be. */
  taken: 0,
  /** A whole request for what the server does not do. */
  unknown: 1,
  /** No whole request; whether it is answered is the server's to say. */
  malformed: 2,
  /** There was no room for it. */
  overloaded: 3,
  /** The cookie that it brought is not its sender's: it is to get a good one. */
  unproven: 4,
  /** It brought no cookie, and its sender has to. */
  mustProve: 5,
} as const

/** One of {@link verdict}. */
export type Verdict = (typeof verdict)[keyof typeof verdict]

/** One datagram, as its protocol sees it, and the way of its answer. Valid during the call, its tokens for longer. */
export interface DatagramPath extends ReplyPath {
  /** False when nothing may go to a handler: the shard has as much in flight as it may, or drains. */
  readonly hasRoom: boolean
  /** True when a request without a cookie is not to go to a handler. */
  readonly mustProve: boolean
  /** Shows the cookie at `bytes[at]`; true when its sender has the address that it writes from. */
  prove(bytes: Buffer, at: number): boolean
}

/** A protocol of datagrams. One value serves a shard. */
export interface DatagramProtocol {
  readonly kind: 'datagrams'
  readonly name: string
  /** Takes one datagram. `bytes` are its own; they are not to be changed. */
  receive(path: DatagramPath, bytes: Buffer): Verdict
  /**
   * A number that a request and its answer have in common, whatever is asked and answered: what two servers that answer each
   * other repeat. A u32, of any datagram.
   */
  exchangeOf(bytes: Buffer): number
  /** The size of the answer in place of one that is too long for a sender who has not proven its address. */
  readonly challengeBytes: number
  /**
   * Writes that answer, which brings the cookie where requests have a place for one, to `target`, which has
   * `challengeBytes` at `at`. `request` is a datagram that was received, and may be shorter than a header.
   */
  writeChallenge(target: Buffer, at: number, request: Buffer, cookie: Buffer): void
}
