import t from 'tap'
import { child, type Placement } from '../../../src/actors/runtime/child.ts'
import { createEnvelope } from '../../../src/messages/thread/envelope.ts'
import type { ActorExit } from '../../../src/messages/thread/exit.ts'
import type { DeadLetter, Fact } from '../../../src/messages/thread/fact.ts'
import type { ResolvedChildSpec, TreeSpec } from '../../../src/supervisor/child-spec.ts'
import { Checkpoints } from '../../../src/supervisor/kernel/checkpoints.ts'
import { DeadLetters, mergeDeadLetters } from '../../../src/supervisor/kernel/dead-letters.ts'
import { Expected } from '../../../src/supervisor/kernel/expected.ts'
import { FactStream, matchesFilter } from '../../../src/supervisor/kernel/facts.ts'
import { Groups } from '../../../src/supervisor/kernel/groups.ts'
import { noprocExit, Watches } from '../../../src/supervisor/kernel/watches.ts'
import { choosePlace } from '../../../src/supervisor/placement.ts'
import { Directory } from '../../../src/supervisor/router/directory.ts'
import { resolveSupervisorSpec } from '../../../src/supervisor/spec-check.ts'
import { counter } from '../fixtures/counter.ts'

function letter(atMs: number, fate: DeadLetter['fate'] = 'refused'): DeadLetter {
  return { to: 'a', from: null, type: 'x', atMs, fate, reason: '' }
}

function exit(address: string, incarnation = 1): ActorExit {
  return { ...noprocExit(address, 0), incarnation }
}

t.test('dead letters are all counted and the last ones listed', async t => {
  for (const keep of [0, 1, 3]) {
    let told = 0
    const letters = new DeadLetters(keep, () => told++)
    for (let i = 0; i < 10; i++) letters.add(letter(i))
    letters.count('lost', 5)
    const { counts, letters: listed } = letters.report()
    t.match(counts, { refused: 10, lost: 5, inHand: 0 })
    t.same(
      listed.map(({ atMs }) => atMs),
      [7, 8, 9].slice(3 - keep),
      `keep ${keep}`,
    )
    t.equal(told, 10)
  }
})

t.test('reports of several threads are one, in order of time', async t => {
  const one = new DeadLetters(9, () => {})
  const two = new DeadLetters(9, () => {})
  one.add(letter(3))
  two.add(letter(1, 'lost'))
  two.add(letter(5))
  const { counts, letters } = mergeDeadLetters([one.report(), two.report()])
  t.match(counts, { refused: 2, lost: 1 })
  t.same(
    letters.map(({ atMs }) => atMs),
    [1, 3, 5],
  )
})

t.test(
  'a watch is told once, its first and last listener are told apart, and a thrown error harms no other',
  async t => {
    const watches = new Watches(2)
    const heard: string[] = []
    const a = () => void heard.push('a')
    const b = () => void heard.push('b')
    t.equal(watches.add('x', a), true)
    t.equal(watches.add('x', b), false)
    t.equal(watches.remove('x', a), false)
    t.equal(watches.remove('x', a), false)
    t.equal(watches.add('x', a), false)
    t.same(watches.addresses(), ['x'])
    watches.tell(exit('x'))
    watches.tell(exit('x'))
    t.same(heard.sort(), ['a', 'b'])
    t.equal(watches.has('x'), false)
    t.equal(watches.add('x', a), true)
    t.equal(watches.remove('x', a), true)
  },
)

t.test('the last exits of so many addresses are remembered, the oldest forgotten first', async t => {
  const watches = new Watches(2)
  for (const address of ['a', 'b', 'a', 'c']) watches.remember(exit(address, address === 'a' ? 2 : 1))
  t.equal(watches.lastExit('a')?.incarnation, 2)
  t.equal(watches.lastExit('b'), undefined)
  t.ok(watches.lastExit('c'))
})

t.test('a listener added while the end is told hears of the next end', async t => {
  const watches = new Watches(2)
  let again = 0
  watches.add('x', () => watches.add('x', () => again++))
  watches.tell(exit('x'))
  t.equal(again, 0)
  watches.tell(exit('x', 2))
  t.equal(again, 1)
})

t.test('a group knows its members in order of joining, an address its groups', async t => {
  const groups = new Groups()
  t.equal(groups.apply('g', 'b', true), true)
  t.equal(groups.apply('g', 'a', true), true)
  t.equal(groups.apply('g', 'a', true), false)
  t.equal(groups.apply('h', 'a', true), true)
  t.same(groups.members('g'), ['b', 'a'])
  t.same(groups.groupsOf('a'), ['g', 'h'])
  t.equal(groups.apply('g', 'z', false), false)
  t.equal(groups.apply('g', 'b', false), true)
  t.equal(groups.apply('g', 'a', false), true)
  t.same(groups.table(), [['h', ['a']]])
  t.same(groups.members('g'), [])
  t.same(groups.groupsOf('b'), [])
})

t.test('facts are built only when somebody wants that kind, and told only if a filter lets them through', async t => {
  const told: Fact[] = []
  const stream = new FactStream(
    3,
    () => 77,
    fact => told.push(fact),
  )
  t.equal(stream.wants('link'), false)
  stream.add({ kind: 'link', address: 'a', peer: 'b', link: 'watch', up: true })
  stream.setFilters([{ kinds: ['link'], under: 'a' }, { kinds: ['action'] }])
  t.equal(stream.wants('link'), true)
  t.equal(stream.wants('exit'), false)
  stream.add({ kind: 'link', address: 'b', peer: 'b', link: 'watch', up: true })
  stream.add({ kind: 'link', address: 'ab', peer: 'b', link: 'watch', up: true })
  stream.add({ kind: 'link', address: 'a', peer: 'b', link: 'watch', up: true })
  stream.add({ kind: 'link', address: 'a/b', peer: 'b', link: 'watch', up: true })
  stream.add({ kind: 'action', address: 'z', incarnation: 1, action: 'go' })
  t.match(told, [
    { kind: 'link', address: 'a', shard: 3, atMs: 77 },
    { kind: 'link', address: 'a/b', shard: 3, atMs: 77 },
    { kind: 'action', address: 'z' },
  ])
  t.equal(told.length, 3)
  stream.setFilters([{}])
  t.equal(stream.wants('dropped'), true)
  stream.setFilters([])
  t.equal(stream.wants('link'), false)
  t.ok(matchesFilter({}, told[0]!))
})

t.test('an address is found by the nearest one above it that is listed', async t => {
  const directory = new Directory()
  directory.set('a', 1)
  directory.set('a/b', 0)
  for (const [address, shard] of [
    ['a', 1],
    ['a/x', 1],
    ['a/b', 0],
    ['a/b/c/d', 0],
    ['ab', undefined],
    ['', undefined],
  ] as const) {
    t.equal(directory.find(address), shard, address)
  }
  t.equal(directory.has('a/x'), false)
  directory.delete('a/b')
  t.equal(directory.find('a/b/c'), 1)
})

t.test('a checkpoint is good for two starts, and for two more each time a new one was taken', async t => {
  const checkpoints = new Checkpoints()
  const first = { state: 1, atMs: 1 }
  checkpoints.keep('a', first)
  t.equal(checkpoints.take('a'), first)
  t.equal(checkpoints.take('a'), first)
  checkpoints.keep('a', { state: 2, atMs: 2 })
  t.match(checkpoints.take('a'), { state: 2 })
  t.match(checkpoints.take('a'), { state: 2 })
  t.equal(checkpoints.take('a'), undefined)
  t.equal(checkpoints.has('a'), false)
  for (const address of ['a', 'a/b', 'ab']) checkpoints.keep(address, first)
  t.same(
    checkpoints.takeTree('a').map(([address]) => address),
    ['a', 'a/b'],
  )
  checkpoints.forgetTree('a')
  t.equal(checkpoints.size, 1)
  t.equal(checkpoints.forgetTree('ab'), true)
  t.equal(checkpoints.forgetTree('ab'), false)
  for (const address of ['a', 'a/b', 'a/c']) checkpoints.keep(address, first)
  t.equal(checkpoints.forgetTree('a', new Set(['a', 'a/b'])), true)
  t.equal(checkpoints.has('a/c'), false, 'but for those that are spared')
  t.equal(checkpoints.size, 2)
})

t.test('what comes for an expected address, or one below it, waits in order; the rest is refused', async t => {
  const expected = new Expected()
  const to = (address: string, type: string) => createEnvelope({ to: address, event: { type } })
  t.equal(expected.hold(to('a', '0')), 'NO_SUCH_ACTOR')
  expected.add('a')
  expected.add('a')
  for (const [address, type] of [
    ['a/b', '1'],
    ['a', '2'],
    ['a/b', '3'],
    ['a', '4'],
  ] as const) {
    t.equal(expected.hold(to(address, type)), 'admitted')
  }
  t.equal(expected.hold(to('ab', '5')), 'NO_SUCH_ACTOR')
  t.same(
    expected.take('a/b').map(({ event }) => event.type),
    ['1', '3'],
  )
  t.same(expected.take('a/b'), [])
  t.same(
    expected.release('a').map(({ event }) => event.type),
    ['2', '4'],
  )
  t.equal(expected.covers('a'), false)
  t.same(expected.release('a'), [])
})

t.test('an expected address holds a bounded number of messages', async t => {
  const expected = new Expected()
  expected.add('a')
  let held = 0
  while (held < 100_000 && expected.hold(createEnvelope({ to: 'a/b', event: { type: 'x' } })) === 'admitted') held++
  t.equal(held, 10_000)
  t.equal(expected.hold(createEnvelope({ to: 'a', event: { type: 'x' } })), 'MAILBOX_FULL')
})

type Shards = Placement[]

function placeOf(shards: Shards, count = 2, shard?: Placement, dynamic = false): number | 'own' {
  const children = shards.map((shard, i) => child(counter, { id: `${i}`, input: { from: 0 }, shard }))
  const spec: ResolvedChildSpec = resolveSupervisorSpec({ id: 'tree', shard, dynamic, children } as TreeSpec & {
    id: string
  })
  const homes = new Map([['there', 1]])
  return choosePlace(spec, { shards: count, leastLoaded: () => 0, find: address => homes.get(address) })
}

t.test('a supervisor lives with its children: on the shard they share, else on the main thread', async t => {
  for (const [shards, place] of [
    [[], 0],
    [['auto', 'auto'], 0],
    [['auto', 1], 1],
    [[1, { with: 'there' }], 1],
    [[0, 1], -1],
    [['main', 'auto'], -1],
    [['main', 1], -1],
    [['own'], -1],
    [['own', 1], -1],
  ] as [Shards, number][]) {
    t.equal(placeOf(shards), place, JSON.stringify(shards))
  }
  t.equal(placeOf([5, 'auto'], 0), -1, 'without shards everything is on this thread')
  for (const shards of [[2], [{ with: 'nobody' }]] as Shards[]) {
    t.throws(() => placeOf(shards), { code: 'BAD_SPEC' }, JSON.stringify(shards))
  }
})

t.test('a supervisor lives where its spec says, empty or not; on a shard its children live there too', async t => {
  for (const [shard, place] of [
    ['main', -1],
    [1, 1],
    [{ with: 'there' }, 1],
    ['auto', 0],
    ['own', 'own'],
  ] as const) {
    t.equal(placeOf([], 2, shard, true), place, JSON.stringify(shard))
  }
  t.equal(placeOf(['auto', 0, 1], 2, 'main'), -1)
  t.equal(placeOf(['auto', 1], 2, 1), 1)
  t.equal(placeOf(['auto'], 2, 'own'), 'own')
  for (const [shards, shard] of [
    [['auto', 0], 1],
    [['main'], 1],
    [['own'], 1],
    [[0], 'own'],
    [['own'], 'own'],
    [[2], 'main'],
    [[], 2],
    [[], { with: 'nobody' }],
  ] as [Shards, Placement][]) {
    t.throws(() => placeOf(shards, 2, shard), { code: 'BAD_SPEC' }, JSON.stringify([shards, shard]))
  }
  const inner = { id: 'inner', shard: 1, children: [] }
  const other = child(counter, { id: 'o', input: { from: 0 }, shard: 0 })
  const places = { shards: 2, leastLoaded: () => 0, find: () => undefined }
  t.equal(choosePlace(resolveSupervisorSpec({ id: 't', children: [inner] }), places), 1)
  t.equal(choosePlace(resolveSupervisorSpec({ id: 't', children: [inner, other] }), places), -1)
})
