/** Cookies prove an address for 60 to 120 seconds, on every shard that has the secret. */
import t from 'tap'
import { createCookies } from '../../../src/actors/datagram/cookies.ts'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'

const secret = Buffer.alloc(32, 1)
const periodMs = 60_000

t.test('a cookie is good for its address and port, and for no others', t => {
  const cookies = createCookies(secret, createVirtualClock(periodMs))
  const cookie = cookies.make('192.0.2.1', 1_000)
  t.equal(cookie.length, 16)
  t.equal(cookies.isGood('192.0.2.1', 1_000, cookie, 0), true)
  for (const [address, port] of [
    ['192.0.2.2', 1_000],
    ['192.0.2.1', 1_001],
    ['192.0.2.11', 0],
    ['', 0],
    ['2001:db8::1', 1_000],
  ] as const) {
    t.equal(cookies.isGood(address, port, cookie, 0), false, `${address} ${port}`)
  }
  for (let bit = 0; bit < 128; bit++) {
    const changed = Buffer.from(cookie)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    if (cookies.isGood('192.0.2.1', 1_000, changed, 0)) t.fail(`bit ${bit} does not matter`)
  }
  t.end()
})

t.test('it is read where it is said to begin, and never past the end', t => {
  const cookies = createCookies(secret, createVirtualClock(periodMs))
  const cookie = cookies.make('a', 1)
  t.equal(cookies.isGood('a', 1, Buffer.concat([Buffer.alloc(16), cookie, Buffer.alloc(3)]), 16), true)
  t.equal(cookies.isGood('a', 1, Buffer.concat([Buffer.alloc(16), cookie]), 15), false)
  t.equal(cookies.isGood('a', 1, cookie.subarray(0, 15), 0), false)
  t.equal(cookies.isGood('a', 1, Buffer.alloc(0), 0), false)
  t.end()
})

t.test('it lives through its period and the next one', async t => {
  for (const givenAtMs of [0, 1, 30_000, 59_999]) {
    const clock = createVirtualClock(7 * periodMs + givenAtMs)
    const cookies = createCookies(secret, clock)
    const cookie = cookies.make('a', 1)
    const livesMs = 2 * periodMs - givenAtMs
    await clock.advance(livesMs - 1)
    t.equal(cookies.isGood('a', 1, cookie, 0), true, `given at ${givenAtMs}, after ${livesMs - 1} ms`)
    t.notSame(cookies.make('a', 1), cookie, 'another one is given meanwhile')
    await clock.advance(1)
    t.equal(cookies.isGood('a', 1, cookie, 0), false, `given at ${givenAtMs}, after ${livesMs} ms`)
  }
})

t.test('shards with one secret take each other’s, those with another do not', async t => {
  const clock = createVirtualClock(9 * periodMs)
  const [one, same, other] = [secret, Buffer.from(secret), Buffer.alloc(32, 2)].map(of => createCookies(of, clock))
  const cookie = one!.make('a', 1)
  t.same(same!.make('a', 1), cookie)
  t.equal(same!.isGood('a', 1, cookie, 0), true)
  t.equal(other!.isGood('a', 1, cookie, 0), false)
  await clock.advance(periodMs)
  // One that has not made any in this period, nor in the one before.
  t.equal(createCookies(secret, clock).isGood('a', 1, cookie, 0), true)
})

t.test('a clock that is set back does not make old cookies of new ones', t => {
  let nowMs = 10 * periodMs
  const cookies = createCookies(secret, { ...createVirtualClock(), now: () => nowMs })
  const cookie = cookies.make('a', 1)
  nowMs -= periodMs
  t.equal(cookies.isGood('a', 1, cookie, 0), false)
  nowMs += periodMs
  t.equal(cookies.isGood('a', 1, cookie, 0), true)
  t.end()
})
