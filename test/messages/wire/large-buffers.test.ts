/** Memory for what is large is used again, and bounded where it rests. */
import t from 'tap'
import { LargeBuffers } from '../../../src/messages/wire/large-buffers.ts'

const KiB = 1_024

t.test('what was given back serves the next one of about its size', async t => {
  const buffers = new LargeBuffers()
  const first = buffers.take(100 * KiB)
  t.equal(first.length, 100 * KiB)
  t.not(buffers.take(100 * KiB).buffer, first.buffer, 'not one that is in use')
  buffers.give(first)
  t.equal(buffers.restingBytes, 128 * KiB)
  t.not(buffers.take(40 * KiB).buffer, first.buffer)
  const second = buffers.take(120 * KiB)
  t.equal(second.buffer, first.buffer)
  t.equal(second.length, 120 * KiB)
  t.equal(buffers.restingBytes, 0)
})

t.test('small ones and others are not kept, nor are more than 2 MiB', async t => {
  const buffers = new LargeBuffers()
  buffers.give(buffers.take(1_000))
  buffers.give(Buffer.allocUnsafeSlow(64 * KiB))
  t.equal(buffers.restingBytes, 0)
  const taken = Array.from({ length: 40 }, () => buffers.take(64 * KiB))
  for (const each of taken) buffers.give(each)
  t.equal(buffers.restingBytes, 2_048 * KiB)
  t.same([...new Set(taken.slice(32).map(({ length }) => length))], [0], 'the memory of the others is given back')
  t.equal(taken[31]!.length, 64 * KiB)
  buffers.give(buffers.take(16_384 * KiB))
  t.equal(buffers.restingBytes, 2_048 * KiB)
})
