/** Figures are written by each shard in its own section, and read as one. */
import t from 'tap'
import {
  createDatagramFigures,
  figureAt,
  openDatagramFigures,
  readDatagramFigures,
} from '../../../src/actors/datagram/figures.ts'

t.test('the figures of a server are the sums of its shards', t => {
  const figures = createDatagramFigures(3)
  const shards = [0, 1, 2].map(slot => openDatagramFigures(figures, slot))
  for (const [slot, section] of shards.entries()) {
    for (const at of Object.values(figureAt)) section[at]! += (at + 1) * 10 ** slot
  }
  const read = readDatagramFigures(figures)
  t.same(Object.keys(read), Object.keys(figureAt))
  for (const [name, at] of Object.entries(figureAt)) t.equal(read[name as keyof typeof read], (at + 1) * 111, name)
  t.end()
})

t.test('a shard that is restarted goes on counting, with nothing in flight', t => {
  const figures = createDatagramFigures(2)
  const section = openDatagramFigures(figures, 1)
  section[figureAt.received] = 5
  section[figureAt.inFlight] = 2
  section[figureAt.inFlightBytes] = 100
  openDatagramFigures(figures, 1)
  t.match(readDatagramFigures(figures), { received: 5, inFlight: 0, inFlightBytes: 0 })
  t.end()
})
