/** Memory of one's own, and what is left of it when it is given back. */
import t from 'tap'
import { freeMemory, joinBytes, ownBytes } from '../../../src/messages/wire/own-memory.ts'

t.test('bytes are copied unless their memory is theirs alone', async t => {
  const whole = Buffer.allocUnsafeSlow(10).fill(1)
  t.equal(ownBytes(whole), whole)
  for (const part of [whole.subarray(1), whole.subarray(0, 9), Buffer.from('pooled')]) {
    const own = ownBytes(part)
    t.same([own, own.buffer.byteLength], [part, part.length])
    t.not(own.buffer, part.buffer)
  }
})

t.test('two are joined in memory of their own', async t => {
  const joined = joinBytes(Buffer.from('one, '), Buffer.from('two'))
  t.same([joined.toString(), joined.buffer.byteLength], ['one, two', 8])
})

t.test('what looks at memory that was freed is empty', async t => {
  const bytes = Buffer.allocUnsafeSlow(100_000)
  const view = bytes.subarray(10, 20)
  freeMemory(bytes.buffer)
  t.same([bytes.length, bytes.buffer.byteLength, view.length], [0, 0, 0])
  freeMemory(bytes.buffer)
})

t.test('what is shared stays', async t => {
  const shared = new SharedArrayBuffer(100)
  freeMemory(shared)
  t.equal(shared.byteLength, 100)
})
