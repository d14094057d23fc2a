/** The decisions of the connection pool, each by its table. */
import t from 'tap'
import {
  type Choosable,
  failuresAfter,
  leastLoaded,
  type PlaceState,
  placeToDial,
  watchLeftMs,
} from '../../../src/services/clients/pool-decisions.ts'

function connection(change: Partial<Choosable> & { readonly roomBytes?: number } = {}): Choosable {
  const { roomBytes = 100, ...rest } = change
  return { isUp: true, isWary: false, isPaused: false, inFlight: 0, hasRoom: bytes => bytes <= roomBytes, ...rest }
}

t.test('the connection with the fewest in flight is chosen, of those that are up and have room', async t => {
  const busy = connection({ inFlight: 5 })
  const free = connection({ inFlight: 1 })
  const down = connection({ isUp: false })
  const full = connection({ roomBytes: 10 })
  const all = [busy, down, full, free]
  t.equal(leastLoaded(all, 50, undefined, true), free)
  t.equal(leastLoaded(all, 10, undefined, true), full)
  t.equal(leastLoaded([busy, down, full], 50, undefined, true), busy)
  t.equal(leastLoaded([down, full], 50, undefined, true), undefined)
  t.equal(leastLoaded([], 0, undefined, false), undefined)
})

t.test('a wary one, and the one that failed the request before, only when there is no other', async t => {
  const wary = connection({ isWary: true })
  const failed = connection()
  const busy = connection({ inFlight: 9 })
  t.equal(leastLoaded([wary, failed, busy], 1, failed, true), busy)
  t.equal(leastLoaded([wary, failed], 1, failed, true), undefined)
  t.equal(leastLoaded([wary, failed], 1, failed, false), wary)
  t.equal(leastLoaded([failed], 1, failed, false), failed)
})

t.test('one place of a server is dialed at a time', async t => {
  const places = (...states: PlaceState[]) => states.map(place => ({ place }))
  t.same(placeToDial(places('up', 'idle')), { place: 'idle' })
  t.equal(placeToDial(places('up', 'trying', 'idle')), undefined, 'another one dials, or waits until it may')
  t.equal(placeToDial(places('up', 'other')), undefined)
})

t.test('failures count once for connections that end together, and each time for those that never served', async t => {
  const table: readonly [number, { hasServed: boolean; isClean: boolean }, number][] = [
    [0, { hasServed: true, isClean: true }, 0],
    [0, { hasServed: true, isClean: false }, 1],
    [1, { hasServed: true, isClean: false }, 1],
    [4, { hasServed: true, isClean: false }, 4],
    [0, { hasServed: false, isClean: true }, 1],
    [4, { hasServed: false, isClean: false }, 5],
  ]
  for (const [before, end, after] of table) t.equal(failuresAfter(before, end), after, JSON.stringify([before, end]))
})

t.test('a busy connection is watched for silence, one that is not for idleness', async t => {
  const facts = {
    inFlight: 0,
    heardAtMs: 100,
    busySinceMs: 50,
    nowMs: 130,
    idleTimeoutMs: 1_000,
    silenceTimeoutMs: 200,
  }
  t.equal(watchLeftMs(facts), 970)
  t.equal(watchLeftMs({ ...facts, inFlight: 1 }), 170)
  t.equal(watchLeftMs({ ...facts, inFlight: 1, busySinceMs: 120 }), 190, 'silent since it was asked')
  t.equal(watchLeftMs({ ...facts, inFlight: 1, nowMs: 999 }), 0)
})
