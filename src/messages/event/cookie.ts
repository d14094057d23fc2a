/**
 * The cookie of the event protocol over UDP, by which a server knows that a sender has the address it writes from.
 *
 * - A response of status `cookieRequired` has the cookie as its body: {@link EVENT_COOKIE_BYTES} bytes.
 * - A request that brings it has bit 0 of `reserved` set ({@link EVENT_COOKIE_FLAG}) and the cookie before its body; its
 *   `bodyBytes` counts both, so that a datagram is as long as its header says.
 *
 * | offset | field  | size                 |
 * |--------|--------|----------------------|
 * | 0      | header | 16, `reserved` bit 0 |
 * | 16     | cookie | 16                   |
 * | 32     | body   | bodyBytes - 16       |
 */

/** Bytes of a cookie. */
export const EVENT_COOKIE_BYTES = 16

/** The bit of `reserved` that says that a cookie comes before the body. */
export const EVENT_COOKIE_FLAG = 1

/** How long a cookie is good at least, ms: servers take those of this period and of the one before. */
export const EVENT_COOKIE_PERIOD_MS = 60_000
