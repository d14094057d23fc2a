/** Sums of parts are joined to what zlib says of the whole. */
import { crc32 } from 'node:zlib'
import t from 'tap'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import { crc32Knowing, joinCrc32, type KnownSum } from '../../../src/messages/wire/crc32-join.ts'

const random = createRandom(7)
const bytes = Buffer.from(Array.from({ length: 5_000 }, () => Math.floor(random() * 256)))

t.test('two parts, cut anywhere', async t => {
  const wrong: number[] = []
  for (let cut = 0; cut <= 600; cut++) {
    const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut, 600)]
    if (joinCrc32(crc32(first), crc32(second), second.length) !== crc32(bytes.subarray(0, 600))) wrong.push(cut)
  }
  t.same(wrong, [])
})

t.test('a second part of 3 MB, and of 5 GiB of zeros', async t => {
  const large = Buffer.alloc(3_000_000, 'large')
  t.equal(joinCrc32(crc32('first'), crc32(large), large.length), crc32(large, crc32('first')))
  const mib = 2 ** 20
  const sum = crc32(Buffer.alloc(mib))
  let zeros = 0
  for (let n = 0; n < 5 * 1_024; n++) zeros = joinCrc32(zeros, sum, mib)
  let stepwise = crc32('first')
  for (let n = 0; n < 5 * 1_024; n++) stepwise = joinCrc32(stepwise, sum, mib)
  t.equal(joinCrc32(crc32('first'), zeros, 5 * 2 ** 30), stepwise)
})

t.test('a thousand seeded ranges, some parts of which are known', async t => {
  let wrong = 0
  for (let round = 0; round < 1_000; round++) {
    const from = Math.floor(random() * 2_000)
    const end = from + Math.floor(random() * 3_000)
    const known: KnownSum[] = []
    for (let at = from; known.length < 5; ) {
      const start = at + Math.floor(random() * (end - at))
      const partEnd = start + Math.floor(random() * (end - start))
      known.push({ start, end: partEnd, sum: crc32(bytes.subarray(start, partEnd)) })
      at = partEnd
    }
    if (crc32Knowing(bytes, from, end, known) !== crc32(bytes.subarray(from, end))) wrong++
  }
  t.equal(wrong, 0)
})

t.test('what is known is not looked at', async t => {
  const changed = Buffer.from(bytes)
  changed[100]! ^= 1
  const known = [{ start: 50, end: 150, sum: crc32(bytes.subarray(50, 150)) }]
  t.equal(crc32Knowing(changed, 0, 5_000, known), crc32(bytes))
  t.not(crc32Knowing(changed, 0, 5_000, []), crc32(bytes))
})
