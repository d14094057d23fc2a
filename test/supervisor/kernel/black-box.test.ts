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

t.test('a name that is too long is cut, and found nevertheless', async t => {
  const buffer = createBlackBox()
  const writer = new BlackBoxWriter(buffer)
  const address = `${'é'.repeat(47)}xyz`
  writer.record(owner(address), 't'.repeat(500), 0, 1)
  const events = readBlackBox(buffer)
  t.equal(events[0]!.type, 't'.repeat(95))
  t.equal(lastEventsOf(events, address).length, 1)
})
