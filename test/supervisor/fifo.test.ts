import fc from 'fast-check'
import t from 'tap'
import { Fifo } from '../../src/supervisor/fifo.ts'

t.test('a queue gives back what it took, in order, through any mix of pushes, shifts, pops and drains', t => {
  const moves = fc.array(fc.oneof(fc.integer({ min: -6, max: 9 }), fc.integer({ min: -700, max: 900 })), {
    maxLength: 100,
  })
  fc.assert(
    fc.property(moves, fc.boolean(), fc.boolean(), (steps, drains, pops) => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      let next = 0
      for (const step of steps) {
        for (let left = step; left > 0; left--) {
          fifo.push(next)
          model.push(next++)
        }
        for (let left = -step; left > 0; left--) if (fifo.shift() !== model.shift()) throw new Error('not the oldest')
        if (pops && fifo.pop() !== model.pop()) throw new Error('not the newest')
        if (fifo.size !== model.length) throw new Error(`${fifo.size} long, not ${model.length}`)
        if (fifo.peek() !== model[0]) throw new Error('another is shown')
        if (drains && step === 0 && fifo.drain().join() !== model.splice(0).join()) throw new Error('not the rest')
      }
      if (fifo.drain().join() !== model.join()) throw new Error('not the rest')
      if (fifo.size !== 0 || fifo.shift() !== undefined || fifo.peek() !== undefined) throw new Error('not empty')
    }),
    { numRuns: 300, seed: 7 },
  )
  t.pass()
  t.end()
})

t.test('the first, or the last, that matches is taken out of the middle; the others keep their order', t => {
  const input = fc.tuple(fc.nat(9), fc.array(fc.nat(9), { maxLength: 20 }), fc.nat(9))
  fc.assert(
    fc.property(input, ([shifted, items, wanted]) => {
      const fifo = new Fifo<number>()
      // Wherever the ring begins.
      for (let left = shifted; left > 0; left--) fifo.push(0)
      for (let left = shifted; left > 0; left--) fifo.shift()
      for (const item of items) fifo.push(item)
      const model = [...items]
      const isWanted = (item: number) => item === wanted
      const check = (found: number | undefined, index: number) => {
        if (found !== (index < 0 ? undefined : wanted)) throw new Error(`found ${found}`)
        if (index >= 0) model.splice(index, 1)
      }
      check(fifo.shiftFirst(isWanted), model.indexOf(wanted))
      check(fifo.popLast(isWanted), model.lastIndexOf(wanted))
      if (fifo.size !== model.length || fifo.drain().join() !== model.join()) throw new Error('others')
    }),
    { numRuns: 1_000, seed: 7 },
  )
  t.pass()
  t.end()
})
