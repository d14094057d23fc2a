/** The checksum is zlib's, whatever the length and wherever the bytes begin. */
import { crc32 as zlibCrc32 } from 'node:zlib'
import t from 'tap'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import { crc32, crc32Word } from '../../../src/messages/wire/crc32.ts'

t.test('the check value of the standard', t => {
  t.equal(crc32(Buffer.from('123456789'), 0, 9), 0xcbf43926)
  t.equal(crc32(Buffer.alloc(0), 0, 0), 0)
  t.end()
})

t.test('every length around the change from tables to zlib, at every alignment', t => {
  const random = createRandom(1)
  const bytes = Buffer.from(Array.from({ length: 1_000 }, () => Math.floor(random() * 256)))
  const wrong: string[] = []
  for (let length = 0; length <= 600; length++) {
    for (let from = 0; from < 8; from++) {
      const expected = zlibCrc32(bytes.subarray(from, from + length))
      if (crc32(bytes, from, from + length) !== expected) wrong.push(`${length} bytes from ${from}`)
      if (crc32Word(bytes, from, from + length) !== (expected | 0)) wrong.push(`${length} bytes from ${from}, as i32`)
    }
  }
  t.same(wrong, [])
  t.end()
})
