/** The decisions of a datagram actor. */

/** How many times the bytes that it sent a sender gets who has not proven that it has the address it writes from. */
const amplificationMax = 3

/**
 * What becomes of an answer of `answerBytes` to a datagram of `receivedBytes`: it is sent; or the challenge, which has
 * `challengeBytes`, is sent instead; or nothing, since that would be too long as well.
 */
export function wayOfAnswer(
  answerBytes: number,
  receivedBytes: number,
  isProven: boolean,
  challengeBytes: number,
): 'send' | 'challenge' | 'silence' {
  const most = amplificationMax * receivedBytes
  if (isProven || answerBytes <= most) return 'send'
  return challengeBytes <= most ? 'challenge' : 'silence'
}

/** Echo, users, daytime, quote, chargen, time: they answer whatever comes (RFC 862 to 868). No datagram comes from port 0. */
const careless: ReadonlySet<number> = new Set([0, 7, 11, 13, 17, 19, 37])

/** True when what is sent to `port` cannot arrive, or is answered whatever it is. */
export function isCareless(port: number): boolean {
  return careless.has(port)
}

/** The longest wait between two attempts to bind, ms. */
const rebindWaitMsMax = 2_000

/** How long to wait after attempt number `attempts` (from 1) to bind has failed, ms: twice as long each time. */
export function rebindWaitMs(rebindDelayMs: number, attempts: number): number {
  return Math.max(rebindDelayMs, Math.min(rebindWaitMsMax, rebindDelayMs * 2 ** (attempts - 1)))
}

/** Errors of a socket that pass by themselves, or are about one peer: the socket is sound. */
const passing: ReadonlySet<string> = new Set([
  'EAGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EINVAL',
  'EMSGSIZE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
])

/** True when a socket that reports this error has to be replaced. */
export function breaksSocket(code: unknown): boolean {
  return !passing.has(String(code))
}
