/** The decisions of a connection, at their limits and one beyond. */
import t from 'tap'
import { admission } from '../../../src/actors/acceptor/transitions.ts'
import {
  awaited,
  bodyLeftMs,
  halt,
  idleLeftMs,
  isBodyLate,
  isFull,
  isReaderLate,
  owesAnswer,
  seenReading,
  writeLeftMs,
} from '../../../src/actors/connection/transitions.ts'
import { serverLimitDefaults as limits } from '../../../src/messages/limits.ts'
import type { PartialFrame } from '../../../src/messages/wire/frame-decoder.ts'

const partial = (more: Partial<PartialFrame>): PartialFrame => ({
  bytes: Buffer.alloc(0),
  haveBytes: 0,
  needBytes: 0,
  stage: 'body',
  arrivedBytes: 0,
  markBytes: 0,
  markAtMs: 0,
  ...more,
})

t.test('output is awaited before room in flight, a frame that has begun before the handlers', async t => {
  const body = partial({})
  t.equal(awaited(halt.blocked | halt.full, body, 9).type, 'output.blocked')
  t.equal(awaited(halt.full, body, 9).type, 'requests.full')
  t.equal(awaited(0, undefined, 0).type, 'request.awaited')
  t.equal(awaited(0, undefined, 1).type, 'handlers.awaited')
  t.equal(awaited(0, partial({ stage: 'header' }), 1).type, 'header.begun')
  t.equal(awaited(0, body, 1).type, 'body.begun')
  t.equal(awaited(0, partial({ stage: 'skip' }), 1).type, 'body.begun')
})

t.test('only an accepted body that is cut is owed an answer', async t => {
  t.equal(owesAnswer(partial({})), true)
  for (const other of [undefined, partial({ stage: 'header' }), partial({ stage: 'skip' })])
    t.equal(owesAnswer(other), false)
})

t.test('a body is late when it stands still for 2 s, or came too slowly when its window ends', async t => {
  const slow = partial({ arrivedBytes: 5_095, markBytes: 1_000, markAtMs: 10_000 })
  t.equal(isBodyLate(limits, slow, 11_999, 13_998), false)
  t.equal(isBodyLate(limits, slow, 11_999, 13_999), true, 'no byte for 2 s')
  t.equal(isBodyLate(limits, slow, 13_000, 13_999), false, 'not before the window is over')
  t.equal(isBodyLate(limits, slow, 13_000, 14_000), true)
  t.equal(isBodyLate(limits, partial({ ...slow, arrivedBytes: 5_096 }), 13_000, 14_000), false)
  t.same(
    [10_500, 13_000, 15_000].map(nowMs => bodyLeftMs(limits, slow, nowMs, nowMs)),
    [2_000, 1_000, 1],
  )
})

t.test('a reader is late when it takes nothing for 2 s, or less than the high-water mark in 10 s', async t => {
  const reader = { sinceMs: 1_000, sinceBytes: 100, movedAtMs: 1_000, movedBytes: 100 }
  t.same(
    [1_000, 10_900, 12_000].map(nowMs => writeLeftMs(limits, reader, nowMs)),
    [500, 100, 1],
  )
  t.same(seenReading(limits, reader, 100, 2_900), reader, 'it has not moved')
  t.equal(isReaderLate(limits, reader, 2_999), false)
  t.equal(isReaderLate(limits, reader, 3_000), true)
  const moved = seenReading(limits, reader, 101, 2_900)
  t.same(moved, { ...reader, movedAtMs: 2_900, movedBytes: 101 })
  t.equal(isReaderLate(limits, moved, 4_899), false)
  const drip = { ...moved, movedAtMs: 10_900, movedBytes: 65_634 }
  t.equal(isReaderLate(limits, seenReading(limits, drip, 65_635, 11_000), 11_000), true, 'one byte short')
  const renewed = seenReading(limits, drip, 65_636, 11_000)
  t.same(renewed, { sinceMs: 11_000, sinceBytes: 65_636, movedAtMs: 11_000, movedBytes: 65_636 })
  t.equal(isReaderLate(limits, renewed, 12_999), false)
})

t.test('idleness and fullness at their limits', async t => {
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
