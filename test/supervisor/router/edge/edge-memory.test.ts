import t from 'tap'
import { createEdgeMemory, slotsMax, viewEdgeMemory } from '../../../../src/supervisor/router/edge/edge-memory.ts'

t.test('memory has a byte for each slot beside its header, all of them zero', t => {
  for (const slots of [1, 5, 1_024, slotsMax]) {
    const memory = viewEdgeMemory(createEdgeMemory(slots))
    t.equal(memory.slots, slots)
    t.equal(memory.states.length, slots)
    t.ok(memory.states.every(state => state === 0))
  }
  t.end()
})

t.test('a number of slots that cannot be had is refused', t => {
  for (const slots of [0, -1, 1.5, slotsMax + 1, Number.NaN]) t.throws(() => createEdgeMemory(slots), RangeError)
  t.end()
})
