/** A table of numbered entries does what a Map does, whatever comes and goes. */
import t from 'tap'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import { KeyedTable } from '../../../src/actors/runtime/keyed-table.ts'

interface Entry {
  readonly key: number
  readonly name: string
}

/** Differences between the table and a Map that was told the same. */
function differences(seed: number, nextKey: (random: () => number, step: number) => number): string[] {
  const random = createRandom(seed)
  const table = new KeyedTable<Entry>()
  const map = new Map<number, Entry>()
  const wrong: string[] = []
  const check = (what: string, actual: unknown, expected: unknown): void => {
    if (actual !== expected) wrong.push(`${seed}: ${what} ${actual}, not ${expected}`)
  }
  for (let step = 0; step < 300; step++) {
    const key = nextKey(random, step)
    const entry = { key, name: String(step) }
    if (random() < 0.55 && !map.has(key)) {
      table.add(entry)
      map.set(key, entry)
    } else {
      const known = random() < 0.8 ? [...map.keys()][Math.floor(random() * map.size)] : key
      const taken = known ?? key
      check(`take ${taken}`, table.take(taken), map.get(taken))
      map.delete(taken)
    }
    check('size', table.size, map.size)
    check(`get ${key}`, table.get(key), map.get(key))
  }
  for (const [key, entry] of map) check(`get ${key}`, table.get(key), entry)
  const sorted = [...map.keys()].sort((one, other) => one - other)
  check(
    'order',
    table
      .inOrder()
      .map(({ key }) => key)
      .join(),
    sorted.join(),
  )
  table.clear()
  check('cleared', table.size + table.inOrder().length, 0)
  return wrong
}

t.test('numbers in a row, of which some stay for long', async t => {
  const wrong = Array.from({ length: 300 }, (_, seed) => differences(seed, (_, step) => step)).flat()
  t.same(wrong, [])
})

t.test('numbers that want the same place, at the end of the table too', async t => {
  const crowded = (random: () => number) => 7 + 64 * Math.floor(random() * 12) + Math.floor(random() * 2)
  const wrong = Array.from({ length: 300 }, (_, seed) => differences(seed, crowded)).flat()
  t.same(wrong, [])
})

t.test('numbers up to 2^53 - 1', async t => {
  const large = (random: () => number) => Number.MAX_SAFE_INTEGER - Math.floor(random() * 2 ** 33)
  const wrong = Array.from({ length: 100 }, (_, seed) => differences(seed, large)).flat()
  t.same(wrong, [])
})

t.test('a table that was large and is empty begins anew', async t => {
  const table = new KeyedTable<Entry>()
  for (let round = 0; round < 2; round++) {
    for (let key = 0; key < 5_000; key++) table.add({ key, name: '' })
    let taken = 0
    for (let key = 0; key < 5_000; key++) if (table.take(key) !== undefined) taken++
    t.same([taken, table.size, table.inOrder()], [5_000, 0, []])
  }
})
