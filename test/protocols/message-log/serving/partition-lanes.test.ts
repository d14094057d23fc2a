/** Answers of a partition leave in the order of its requests, those of others when they are known. */
import t from 'tap'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { type InLane, PartitionLanes } from '../../../../src/protocols/message-log/serving/partition-lanes.ts'

interface Entry extends InLane<string> {
  readonly name: string
}

const entryOf = (partitionId: number, name: string): Entry => ({
  partitionId,
  name,
  outcome: undefined,
  behind: undefined,
})

t.test('one that is known waits for those before it, and for no other partition', t => {
  const left: string[] = []
  const lanes = new PartitionLanes<string, Entry>(({ name }, outcome) => void left.push(name + outcome))
  const [a, b, c, other] = [entryOf(1, 'a'), entryOf(1, 'b'), entryOf(1, 'c'), entryOf(2, 'other')]
  for (const entry of [a, b, other, c]) lanes.enter(entry)
  lanes.settle(c, '3')
  lanes.settle(b, '2')
  t.same(left, [])
  lanes.settle(other, '4')
  t.same(left, ['other4'])
  t.equal(lanes.size, 1)
  lanes.settle(a, '1')
  t.same(left, ['other4', 'a1', 'b2', 'c3'])
  t.equal(lanes.size, 0)
  t.end()
})

t.test('one that has left keeps none of those behind it', t => {
  const lanes = new PartitionLanes<string, Entry>(() => {})
  const [a, b] = [entryOf(1, 'a'), entryOf(1, 'b')]
  lanes.enter(a)
  lanes.enter(b)
  t.equal(a.behind, b)
  lanes.settle(a, '1')
  t.equal(a.behind, undefined)
  t.end()
})

t.test('lanes of many partitions', t => {
  const left: number[] = []
  const lanes = new PartitionLanes<string, Entry>(({ partitionId }) => void left.push(partitionId))
  for (let round = 0; round < 2; round++) {
    const entries = Array.from({ length: 3_000 }, (_, partitionId) => entryOf(partitionId, ''))
    for (const entry of entries) lanes.enter(entry)
    t.equal(lanes.size, 3_000)
    for (const entry of entries) lanes.settle(entry, '1')
    t.equal(lanes.size, 0)
  }
  t.equal(left.length, 6_000)
  t.end()
})

t.test('one that enters while another leaves has its turn', t => {
  const left: string[] = []
  const second = entryOf(1, 'b')
  const lanes = new PartitionLanes<string, Entry>(({ name }) => {
    left.push(name)
    if (name === 'a') lanes.enter(second)
  })
  const first = entryOf(1, 'a')
  lanes.enter(first)
  lanes.settle(first, '1')
  t.same([left, lanes.size], [['a'], 1])
  lanes.settle(second, '2')
  t.same([left, lanes.size], [['a', 'b'], 0])
  t.end()
})

t.test('a thousand seeded conversations', t => {
  let wrong = 0
  for (let seed = 0; seed < 1_000; seed++) {
    const random = createRandom(seed)
    const entered: Entry[] = []
    const left: Entry[] = []
    const open: Entry[] = []
    const lanes = new PartitionLanes<string, Entry>(entry => void left.push(entry))
    for (let step = 0; step < 60; step++) {
      if (open.length === 0 || random() < 0.5) {
        const entry = entryOf(Math.floor(random() * 3), String(step))
        lanes.enter(entry)
        entered.push(entry)
        open.push(entry)
      } else {
        lanes.settle(open.splice(Math.floor(random() * open.length), 1)[0]!, '')
      }
    }
    for (const entry of open.splice(0).reverse()) lanes.settle(entry, '')
    const orders = (entries: Entry[]) =>
      [0, 1, 2].map(id => entries.filter(({ partitionId }) => partitionId === id).map(({ name }) => name))
    if (lanes.size !== 0 || JSON.stringify(orders(entered)) !== JSON.stringify(orders(left))) wrong++
  }
  t.equal(wrong, 0)
  t.end()
})
