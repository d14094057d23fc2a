/** Output buffers come back when they were written or are given up, and are used again. */
import t from 'tap'
import { OUTPUT_BUFFER_BYTES, OutputPool } from '../../../src/actors/connection/output.ts'

t.test('a buffer that was written is used again, after its owner was told', async t => {
  const pool = new OutputPool(1)
  let told = 0
  const owner = {
    onWritten() {
      told++
      t.equal(pool.idle, 1, 'it is back when the owner is told')
    },
  }
  const buffer = pool.take(owner, 100)
  buffer.lengthBytes = 100
  buffer.written()
  t.equal(told, 1)
  pool.take(owner, 1).written(new Error('the socket is gone'))
  t.equal(told, 1, 'of what was written, not of what failed')
  const again = pool.take(owner, 5)
  t.equal(again, buffer)
  t.equal(again.lengthBytes, 0)
  const other = pool.take(owner, 5)
  pool.give(again)
  pool.give(other)
  t.equal(pool.idle, 1, 'no more rest than may')
})

t.test('what sockets were given counts until it is written, or fails', async t => {
  const pool = new OutputPool()
  const owner = { onWritten() {} }
  const [first, second] = [pool.take(owner, 100), pool.take(owner, 300_000)]
  first.lengthBytes = 100
  second.lengthBytes = 300_000
  t.equal(pool.waitingBytes, 0)
  pool.wait(first)
  pool.wait(second)
  t.equal(pool.waitingBytes, 300_100)
  second.written(new Error('the socket is gone'))
  t.equal(pool.waitingBytes, 100)
  first.written()
  t.equal(pool.waitingBytes, 0)
  pool.give(pool.take(owner, 5))
  t.equal(pool.waitingBytes, 0)
})

t.test('a reply beyond the size of a buffer has one of its own, which is not kept', async t => {
  const pool = new OutputPool()
  const owner = { onWritten() {} }
  const large = pool.take(owner, OUTPUT_BUFFER_BYTES + 1)
  t.equal(large.bytes.length, OUTPUT_BUFFER_BYTES + 1)
  pool.give(large)
  t.equal(pool.idle, 0)
})
