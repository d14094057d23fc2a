import t from 'tap'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { FreeSlots } from '../../../../src/supervisor/router/edge/free-slots.ts'

const take = (free: FreeSlots, count: number) => Array.from({ length: count }, () => free.take())

t.test('every slot is taken once, and one behind the other, before any is given back', t => {
  for (const slots of [1, 5, 31, 32, 33, 63, 64, 65, 1_000, 4_096]) {
    t.same(
      take(new FreeSlots(slots), slots),
      Array.from({ length: slots }, (_, slot) => slot),
      `${slots} slots`,
    )
  }
  t.end()
})

t.test('slots that came back in any order are taken one behind the other', t => {
  const free = new FreeSlots(128)
  const random = createRandom(7)
  const first = take(free, 128)
  for (const slot of first.sort(() => random() - 0.5)) free.giveBack(slot)
  t.same(
    take(free, 128),
    Array.from({ length: 128 }, (_, slot) => slot),
  )
  t.end()
})

t.test('a direction with little under way stays within the first slots', t => {
  const free = new FreeSlots(65_536)
  const used = new Set<number>()
  const row = take(free, 30)
  for (let round = 0; round < 10_000; round++) {
    free.giveBack(row.shift()!)
    row.push(...take(free, 1))
    used.add(row.at(-1)!)
  }
  t.equal(Math.max(...used), 63)
  t.end()
})

t.test('whatever is taken and given back, none is taken twice, and the last one is found', t => {
  for (const slots of [1, 3, 33, 100, 513]) {
    const free = new FreeSlots(slots)
    const random = createRandom(slots)
    const taken = new Set<number>()
    let full = 0
    for (let step = 0; step < 20_000; step++) {
      if (taken.size < slots && random() < 0.55) {
        const slot = free.take()
        if (taken.has(slot) || slot < 0 || slot >= slots) t.fail(`slot ${slot} of ${slots} at step ${step}`)
        taken.add(slot)
        if (taken.size === slots) full++
      } else if (taken.size > 0) {
        const slot = [...taken][Math.floor(random() * taken.size)]!
        taken.delete(slot)
        free.giveBack(slot)
      }
    }
    t.ok(full > 0, `${slots} slots, all of them taken ${full} times`)
  }
  t.end()
})
