/** Limits hold for the server, not for each shard, and a shard that died is counted no longer than it takes to replace it. */
import t from 'tap'
import { createServerCounters, openShardCounters, readServerCounters } from '../../../src/actors/acceptor/counters.ts'
import { refusalKinds } from '../../../src/actors/serving/refusals.ts'

const limits = { connectionsMax: 5, connectionsPerAddressMax: 3, partialBytesMax: 100 }

t.test('connections are limited across shards, at the limit and one beyond', async t => {
  const buffer = createServerCounters(2, 9)
  const [a, b] = [openShardCounters(buffer, 0, limits), openShardCounters(buffer, 1, limits)]
  const first = a.admit('10.0.0.1')
  t.ok(first >= 0)
  t.ok(b.admit('10.0.0.1') >= 0)
  t.ok(a.admit('10.0.0.1') >= 0)
  t.equal(b.admit('10.0.0.1'), -1, 'a fourth of one address')
  t.ok(b.admit('10.0.0.2') >= 0)
  t.ok(a.admit('::1') >= 0)
  t.equal(a.admit('10.0.0.3'), -1, 'a sixth of the server')
  a.refuse()
  a.release(first)
  t.ok(b.admit('10.0.0.1') >= 0, 'there is room again')
  b.countRequests(5_000_000_000)
  for (const kind of refusalKinds) b.countRefusal(kind)
  a.countRefusal('headersLate')
  const { refusals, ...figures } = readServerCounters(buffer)
  t.same(figures, { connections: 5, heldBytes: 0, accepted: 6, refused: 1, requests: 5_000_000_000 })
  t.same(refusals, { ...Object.fromEntries(refusalKinds.map(kind => [kind, 1])), headersLate: 2 })
  t.equal(readServerCounters(buffer, 1).connections, 3)
})

t.test('held bytes are limited across shards', async t => {
  const buffer = createServerCounters(2, 9)
  const [a, b] = [openShardCounters(buffer, 0, limits), openShardCounters(buffer, 1, limits)]
  a.held(60)
  t.ok(b.mayHold(40))
  t.notOk(b.mayHold(41))
  a.held(-60)
  t.ok(b.mayHold(100))
})

t.test('the replacement of a shard begins at nothing, and keeps what was ever counted', async t => {
  const buffer = createServerCounters(2, 9)
  const dead = openShardCounters(buffer, 1, limits)
  for (let index = 0; index < 3; index++) dead.admit('10.0.0.1')
  dead.held(100)
  const next = openShardCounters(buffer, 1, limits)
  next.reset()
  t.match(readServerCounters(buffer), { connections: 0, heldBytes: 0, accepted: 3, refused: 0, requests: 0 })
  for (let index = 0; index < 3; index++) t.ok(next.admit('10.0.0.1') >= 0)
})

t.test('a shard without a slot is refused by name', async t => {
  for (const slot of [2, -1, 0.5]) {
    t.throws(() => openShardCounters(createServerCounters(2, 1), slot, limits), { code: 'BAD_CONFIG' })
  }
})

t.test('addresses spread over the buckets, differently for each seed', async t => {
  const bucketsOf = (seed: number): number[] => {
    const counters = openShardCounters(createServerCounters(1, seed), 0, { ...limits, connectionsMax: 1e6 })
    return Array.from({ length: 2_000 }, (_, index) => counters.admit(`10.0.${index >> 8}.${index & 255}`))
  }
  const [one, two] = [bucketsOf(1), bucketsOf(2)]
  t.ok(new Set(one).size > 1_850, `${new Set(one).size} buckets for 2000 addresses`)
  t.ok(one.filter((bucket, index) => bucket === two[index]).length < 20)
})
