/**
 * Cookies: how a server that keeps nothing of its senders knows that one has the address it writes from. Only who gets the
 * datagrams sent to an address can repeat what they said.
 *
 * ```
 * period  = floor(now / 60 s)
 * key     = HMAC-SHA256(secret, period u64)
 * cookie  = HMAC-SHA256(key, address | port), cut to 16 bytes
 * ```
 * Those of this period and of the one before are good, so a cookie lives 60 to 120 s. All shards have the same secret, and
 * each can check what another gave. A cookie is for an address: any number of requests may bring it.
 *
 * @see RFC 9147 section 5.1, RFC 7873: stateless cookies against floods and reflection
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { EVENT_COOKIE_BYTES, EVENT_COOKIE_PERIOD_MS } from '../../messages/event/cookie.ts'
import type { Clock } from '../runtime/clock.ts'

/** Bytes of the secret that the shards of a server share. */
export const secretBytes = 32

/** Makes and checks the cookies of one server. */
export interface Cookies {
  /** The cookie of now for a sender. */
  make(address: string, port: number): Buffer
  /** True when `bytes[at]` begins a cookie of that sender which is still good. */
  isGood(address: string, port: number, bytes: Buffer, at: number): boolean
}

/** Cookies out of `secret`, which the clock makes others of from period to period. */
export function createCookies(secret: Uint8Array, clock: Clock): Cookies {
  let period = Number.NaN
  let current: Buffer = noKey
  let previous: Buffer = noKey

  function keyOf(of: number): Buffer {
    const text = Buffer.alloc(8)
    text.writeBigUInt64BE(BigInt(of))
    return createHmac('sha256', secret).update(text).digest()
  }

  function turn(): void {
    const now = Math.floor(clock.now() / EVENT_COOKIE_PERIOD_MS)
    if (now === period) return
    period = now
    current = keyOf(now)
    previous = keyOf(Math.max(0, now - 1))
  }

  return {
    make(address, port) {
      turn()
      return cookieOf(current, address, port)
    },
    isGood(address, port, bytes, at) {
      if (bytes.length < at + EVENT_COOKIE_BYTES) return false
      turn()
      const shown = bytes.subarray(at, at + EVENT_COOKIE_BYTES)
      return (
        timingSafeEqual(cookieOf(current, address, port), shown) ||
        timingSafeEqual(cookieOf(previous, address, port), shown)
      )
    },
  }
}

const noKey = Buffer.alloc(0)

function cookieOf(key: Buffer, address: string, port: number): Buffer {
  return createHmac('sha256', key).update(`${address}|${port}`).digest().subarray(0, EVENT_COOKIE_BYTES)
}
