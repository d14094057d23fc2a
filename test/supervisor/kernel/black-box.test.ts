import t from 'tap'
import {
  BlackBoxWriter,
  createBlackBox,
  incarnationOf,
  lastEventsOf,
  readBlackBox,
} from '../../../src/supervisor/kernel/black-box.ts'

function owner(address: string, incarnation = 1) {
  return { entry: { address }, incarnation, boxName: 0, boxEpoch: 0 }
}

t.test('a black box holds what was written, oldest first', async t => {
  const buffer = createBlackBox()
  t.same(readBlackBox(buffer), [])
  const writer = new BlackBoxWriter(buffer)
  const a = owner('a')
  const b = owner('tree/ü', 3)
  writer.record(a, 'x.go', 0, 10.5)
  writer.record(b, 'x.go', 7, 11)
  writer.record(a, 'x.stop', 1, 12)
  const events = readBlackBox(buffer)
  t.same(events, [
    { address: 'a', incarnation: 1, type: 'x.go', sequence: 0, atMs: 10.5 },
    { address: 'tree/ü', incarnation: 3, type: 'x.go', sequence: 7, atMs: 11 },
    { address: 'a', incarnation: 1, type: 'x.stop', sequence: 1, atMs: 12 },
  ])
  t.same(lastEventsOf(events, 'a'), [
    { sequence: 0, type: 'x.go', atMs: 10.5 },
    { sequence: 1, type: 'x.stop', atMs: 12 },
  ])
  t.same(lastEventsOf(events, 'a', 2), [])
  t.equal(incarnationOf(events, 'tree/ü'), 3)
  t.equal(incarnationOf(events, 'nobody'), 0)
})

t.test(
  'the ring keeps the last 1,023 whatever came before, each under its own name, over any number of names',
  async t => {
    const buffer = createBlackBox()
    const writer = new BlackBoxWriter(buffer)
    const written: string[] = []
    for (let i = 0; i < 20_000; i++) {
      // New names all the time, beside some that stay.
      const address = i % 3 === 0 ? 'stays' : `actor/${i}`
      const type = i % 5 === 0 ? 'type.stays' : `type.${i}`
      writer.record(i % 3 === 0 ? stays : owner(address), type, i, i)
      written.push(`${address} ${type} ${i}`)
      if (i % 1_777 === 0) check(i)
    }
    check(20_000)
    function check(at: number): void {
      const read = readBlackBox(buffer).map(({ address, type, sequence }) => `${address} ${type} ${sequence}`)
      t.same(read, written.slice(-1_023), `after ${at}`)
    }
  },
)
const stays = owner('stays')

t.test('what an actor takes in a row at one time is one run, of which every event is read', async t => {
  const buffer = createBlackBox()
  const writer = new BlackBoxWriter(buffer)
  const a = owner('a')
  const b = owner('b')
  const events = () =>
    readBlackBox(buffer).map(({ address, incarnation, type, sequence, atMs }) => {
      return `${address}/${incarnation} ${type} ${sequence} at ${atMs}`
    })
  for (const sequence of [0, 1, 2]) writer.record(a, 'x.go', sequence, 1)
  t.equal(runsOf(buffer), 1)
  writer.record(a, 'x.stop', 3, 1)
  writer.record(a, 'x.stop', 4, 2)
  writer.record(b, 'x.stop', 5, 2)
  writer.record({ ...b, incarnation: 2 }, 'x.stop', 6, 2)
  writer.record({ ...b, incarnation: 2 }, 'x.stop', 0, 2)
  t.same(events(), [
    'a/1 x.go 0 at 1',
    'a/1 x.go 1 at 1',
    'a/1 x.go 2 at 1',
    'a/1 x.stop 3 at 1',
    'a/1 x.stop 4 at 2',
    'b/1 x.stop 5 at 2',
    'b/2 x.stop 6 at 2',
    'b/2 x.stop 0 at 2',
  ])
  t.equal(runsOf(buffer), 6, 'another type, time, actor, incarnation or sequence begins another')
  for (let sequence = 0; sequence < 2_000; sequence++) writer.record(a, 'x.go', sequence, 3)
  t.equal(runsOf(buffer), 7)
  t.same([events().length, events()[0], events().at(-1)], [1_023, 'a/1 x.go 977 at 3', 'a/1 x.go 1999 at 3'])
})

function runsOf(buffer: SharedArrayBuffer): number {
  return new Int32Array(buffer, 0, 1)[0]!
}

t.test('a run does not go on under a name that was given to another', async t => {
  const buffer = createBlackBox()
  const writer = new BlackBoxWriter(buffer)
  const a = owner('a')
  writer.record(a, 'x.go', 0, 1)
  let other = owner('other')
  // Until the halves have changed twice, and the number of its name comes again.
  for (let i = 0; other.boxName !== a.boxName; i++) {
    other = owner(`other/${i}`)
    writer.record(other, 'x.go', 0, 1)
  }
  writer.record(a, 'x.go', 1, 1)
  t.same(
    readBlackBox(buffer)
      .slice(-2)
      .map(({ address, sequence }) => [address, sequence]),
    [
      [other.entry.address, 0],
      ['a', 1],
    ],
  )
})

t.test('a name that is too long is cut, and found nevertheless', async t => {
  const buffer = createBlackBox()
  const writer = new BlackBoxWriter(buffer)
  const address = `${'é'.repeat(47)}xyz`
  writer.record(owner(address), 't'.repeat(500), 0, 1)
  const events = readBlackBox(buffer)
  t.equal(events[0]!.type, 't'.repeat(95))
  t.equal(lastEventsOf(events, address).length, 1)
})
