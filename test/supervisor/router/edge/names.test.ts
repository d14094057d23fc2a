import fc from 'fast-check'
import t from 'tap'
import { NameReader, NameWriter, namesMax } from '../../../../src/supervisor/router/edge/names.ts'

/** Sends names as an edge does: the number where there is one, else the name. */
function cross(writer: NameWriter, reader: NameReader, name: string): string {
  const number = writer.find(name)
  if (number !== 0) return reader.texts[number]!
  writer.add(name)
  return reader.texts[reader.add(name)]!
}

t.test('both sides agree on every name, however many there are and whenever the sender starts anew', t => {
  fc.assert(
    fc.property(fc.array(fc.nat(2 * namesMax), { maxLength: 400 }), fc.nat(400), (picks, resetAt) => {
      const writer = new NameWriter()
      const reader = new NameReader()
      // Enough to go round the table, so that numbers are reused.
      for (let index = 0; index < namesMax - 50; index++) cross(writer, reader, `filler/${index}`)
      picks.forEach((pick, index) => {
        if (index === resetAt) {
          writer.reset()
          reader.reset()
        }
        const name = `name/${pick}`
        const read = cross(writer, reader, name)
        if (read !== name) throw new Error(`${name} was read as ${read}`)
      })
    }),
    { numRuns: 100 },
  )
  t.pass()
  t.end()
})

t.test('a name has a number from its second use on, until as many others came as the table holds', t => {
  const writer = new NameWriter()
  t.equal(writer.find('first'), 0)
  writer.add('first')
  t.equal(writer.find('first'), 1)
  for (let index = 1; index < namesMax; index++) writer.add(`other/${index}`)
  t.equal(writer.find('first'), 1)
  writer.add('one more')
  t.equal(writer.find('first'), 0)
  t.equal(writer.find('one more'), 1)
  t.end()
})
