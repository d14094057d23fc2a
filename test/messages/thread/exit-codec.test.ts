import t from 'tap'
import type { ExitReason } from '../../../src/messages/thread/exit.ts'
import { decodeExitReason, encodeExitReason } from '../../../src/messages/thread/exit-codec.ts'

function cross(reason: ExitReason): ExitReason {
  return decodeExitReason(structuredClone(encodeExitReason(reason)))
}

t.test('every reason without an error crosses unchanged', async t => {
  const reasons: ExitReason[] = [
    { type: 'normal' },
    { type: 'normal', output: { total: 3 } },
    { type: 'shutdown', detail: 'rolled' },
    { type: 'exited', code: 3 },
    { type: 'outOfMemory', detail: 'mark' },
    { type: 'stalled', diagnosis: 'spinning', forMs: 5_000 },
    { type: 'killed' },
    { type: 'initTimedOut', afterMs: 10 },
    { type: 'noproc' },
  ]
  for (const reason of reasons) t.same(cross(reason), reason)
})

t.test('the error of a reason keeps its code', async t => {
  for (const type of ['threw', 'unhandledRejection', 'bootstrapFailed'] as const) {
    const error = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
    t.match(cross({ type, error }), { type, error: { message: 'x', code: 'ECONNREFUSED' } })
  }
})

t.test('so does that of the child that made a supervisor give up, however deep', async t => {
  const error = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
  const inner: ExitReason = { type: 'shutdown', culprit: { id: 'b', reason: { type: 'threw', error } } }
  const crossed = cross({ type: 'shutdown', detail: 'd', culprit: { id: 'a', reason: inner } })
  t.match(crossed, {
    detail: 'd',
    culprit: { id: 'a', reason: { culprit: { id: 'b', reason: { error: { message: 'x', code: 'ECONNREFUSED' } } } } },
  })
})

t.test('an output that cannot be cloned is described instead of failing', async t => {
  t.same(cross({ type: 'normal', output: { close: function close() {} } }), {
    type: 'normal',
    output: { close: '[Function: close]' },
  })
})
