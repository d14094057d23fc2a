/** The decisions of a connection, at their limits and one beyond. */
import t from 'tap'
import { admission } from '../../../src/actors/acceptor/transitions.ts'
import { awaited, halt, idleLeftMs, isFull, keepsPace, owesAnswer } from '../../../src/actors/connection/transitions.ts'
import { serverLimitDefaults as limits } from '../../../src/messages/limits.ts'
import type { PartialFrame } from '../../../src/messages/wire/frame-decoder.ts'

const partial = (more: Partial<PartialFrame>): PartialFrame => ({
  bytes: Buffer.alloc(0),
  haveBytes: 0,
  needBytes: 0,
  stage: 'body',
  arrivedBytes: 0,
  markBytes: 0,
  noticed: false,
  ...more,
})

t.test('output is awaited before handlers, handlers before input', async t => {
  const body = partial({})
  t.equal(awaited(halt.blocked | halt.full, body).type, 'output.blocked')
  t.equal(awaited(halt.full, body).type, 'handlers.awaited')
  t.equal(awaited(0, undefined).type, 'request.awaited')
  t.equal(awaited(0, partial({ stage: 'header' })).type, 'header.begun')
  t.equal(awaited(0, body).type, 'body.begun')
  t.equal(awaited(0, partial({ stage: 'skip' })).type, 'body.begun')
})

t.test('only an accepted body that is cut is owed an answer', async t => {
  t.equal(owesAnswer(partial({})), true)
  for (const other of [undefined, partial({ stage: 'header' }), partial({ stage: 'skip' })])
    t.equal(owesAnswer(other), false)
})

t.test('pace, idleness and fullness at their limits', async t => {
  t.equal(keepsPace(limits, partial({ arrivedBytes: 5_096, markBytes: 1_000 })), true)
  t.equal(keepsPace(limits, partial({ arrivedBytes: 5_095, markBytes: 1_000 })), false)
  t.equal(idleLeftMs(limits, 100, 60_099), 1)
  t.equal(idleLeftMs(limits, 100, 70_000), 0)
  const figures = { size: 1_023, inFlightBytes: 4_194_303, waitingReplyBytes: 65_536 }
  t.equal(isFull(limits, figures), false)
  for (const key of ['size', 'inFlightBytes', 'waitingReplyBytes'] as const) {
    t.equal(isFull(limits, { ...figures, [key]: figures[key] + 1 }), true, key)
  }
  t.same(
    [admission(true, 999, limits), admission(false, 255, limits), admission(false, 256, limits)],
    ['serve', 'refuse', 'drop'],
  )
})
