import fc from 'fast-check'
import t from 'tap'
import { Fifo } from '../../../../src/supervisor/router/edge/fifo.ts'

t.test('a queue gives back what it took, in order, through any mix of pushes, shifts and drains', t => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -700, max: 900 }), { maxLength: 40 }), moves => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      let next = 0
      for (const move of moves) {
        for (let left = move; left > 0; left--) {
          fifo.push(next)
          model.push(next++)
        }
        for (let left = -move; left > 0; left--) {
          if (fifo.shift() !== model.shift()) throw new Error('not the oldest')
        }
        if (fifo.length !== model.length) throw new Error(`${fifo.length} long, not ${model.length}`)
      }
      if (fifo.drain().join() !== model.join()) throw new Error('not the rest')
      if (fifo.length !== 0 || fifo.shift() !== undefined) throw new Error('not empty')
    }),
    { numRuns: 300 },
  )
  t.pass()
  t.end()
})
