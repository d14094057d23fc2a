/** Appends of a shard on their way to an owner whose answers, and deaths, are scripted. */
import t from 'tap'
import { createVirtualClock } from '../../../../src/actors/runtime/clock.ts'
import type { ProtocolEnvironment } from '../../../../src/actors/serving/protocol.ts'
import { encodeError } from '../../../../src/messages/error-codec.ts'
import { type ErrorCode, StarfishError } from '../../../../src/messages/errors.ts'
import { appendOf, messageHeadBytes } from '../../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { AppendRequest } from '../../../../src/protocols/message-log/engine/contract.ts'
import { partitionNotFound } from '../../../../src/protocols/message-log/engine/engine-errors.ts'
import { readAppendBatch, splitAppend } from '../../../../src/protocols/message-log/owner/append-batch.ts'
import type { AppendRefusal } from '../../../../src/protocols/message-log/owner/append-desk.ts'
import type { StoreAppendEvent, StoreEvent } from '../../../../src/protocols/message-log/owner/events.ts'
import {
  type AppendOutcome,
  AppendQueue,
  type PendingAppend,
} from '../../../../src/protocols/message-log/serving/append-queue.ts'
import { slotBytes } from '../../../../src/protocols/message-log/serving/flight-slots.ts'
import { StoreLink } from '../../../../src/protocols/message-log/serving/store-link.ts'

/** An ask that the owner has not answered. */
interface Asked {
  readonly event: StoreEvent
  readonly timeoutMs: number
  /** The texts of its messages, one a message. */
  readonly texts: string
  answer(reply: unknown): void
  refuse(code: ErrorCode, handled: 'no' | 'unknown'): void
}

const turn = () => new Promise(resolve => setImmediate(resolve))

function textsIn(batch: Uint8Array): string {
  return readAppendBatch(batch)
    .flatMap(splitAppend)
    .map(({ messages }) => Buffer.from(messages.subarray(messageHeadBytes)).toString())
    .join('')
}

function scripted(isElsewhere = true) {
  const clock = createVirtualClock()
  const asked: Asked[] = []
  const actor: ProtocolEnvironment['actor'] = {
    address: 'log/s0',
    incarnation: 1,
    shard: 0,
    send() {},
    onStop() {},
    ask(_to, event, { timeoutMs }) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const request = event as unknown as StoreEvent
      asked.push({
        event: request,
        timeoutMs,
        texts: request.type === 'store.append' ? textsIn(request.batch) : request.type,
        answer: resolve,
        refuse: (code, handled) => reject(new StarfishError(code, 'scripted', { handled })),
      })
      return promise
    },
  }
  const queue = new AppendQueue(new StoreLink(actor, 'log/store', clock), clock, 1_000, { incarnation: 1, isElsewhere })
  const settled: string[] = []
  const add = (text: string, more: Partial<AppendRequest> = {}) => {
    const request = appendOf(more.partitionId ?? 1, [text], more)
    queue.add(request, request.messages, 0, request.messages.length, {
      partitionId: request.partitionId,
      outcome: undefined,
      behind: undefined,
      settled: outcome => void settled.push(text + textOf(outcome)),
    } satisfies PendingAppend)
  }
  /** What the owner was asked since the last call. */
  const take = async (): Promise<Asked[]> => {
    await turn()
    await turn()
    return asked.splice(0)
  }
  const texts = async () => (await take()).map(({ texts }) => texts)
  return { clock, queue, add, take, texts, settled }
}

function textOf(outcome: AppendOutcome): string {
  return 'error' in outcome ? ` ${(outcome.error as StarfishError).code}` : ` ${outcome.baseOffset}`
}

/** What an owner answers that has stored appends of one message from `baseOffset` on. */
function stored(baseOffset: number, count: number, refusals: readonly AppendRefusal[] = []) {
  const results = Float64Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? baseOffset + at / 2 : 1))
  return { results, refusals }
}

t.test('the appends of a turn are one ask; what was refused costs no other', async t => {
  const { add, take, settled, queue } = scripted()
  add('a')
  add('b', { partitionId: 9 })
  add('c')
  const [ask, ...rest] = await take()
  t.equal(rest.length, 0)
  t.match(ask, { event: { type: 'store.append', incarnation: 1 }, timeoutMs: 1_000, texts: 'abc' })
  t.ok(queue.bytes > 3 * messageHeadBytes)
  ask!.answer(stored(7, 3, [{ index: 1, error: encodeError(partitionNotFound(9)) }]))
  await turn()
  t.same(settled, ['a 7', 'b PARTITION_NOT_FOUND', 'c 9'])
  t.equal(queue.bytes, 0)
})

t.test('while two asks are on their way appends are gathered', async t => {
  const { add, take, texts, settled } = scripted()
  const first: Asked[] = []
  for (const text of ['a', 'b', 'c', 'd']) {
    add(text)
    first.push(...(await take()))
  }
  t.same(
    first.map(({ texts }) => texts),
    ['a', 'b'],
  )
  first[0]!.answer(stored(0, 1))
  t.same(await texts(), ['cd'])
  t.same(settled, ['a 0'])
})

t.test('bytes are written over once they are answered, and never where the owner has them itself', async t => {
  const batchOf = ({ event }: Asked) => (event as StoreAppendEvent).batch
  for (const isElsewhere of [true, false]) {
    const { add, take } = scripted(isElsewhere)
    const sent: Uint8Array[] = []
    const send = async (text: string): Promise<Asked> => {
      add(text)
      const [ask] = await take()
      sent.push(batchOf(ask!))
      return ask!
    }
    const first = await send('a')
    const second = await send('b')
    second.refuse('ASK_TIMEOUT', 'unknown')
    await turn()
    const third = await send('c')
    first.answer(stored(0, 1))
    await turn()
    await send('d')
    t.same(sent.map(textsIn), isElsewhere ? ['d', 'b', 'c', 'd'] : ['a', 'b', 'c', 'd'])
    third.answer(stored(1, 1))
    await turn()
    await send('e')
    t.same(sent.map(textsIn), isElsewhere ? ['d', 'b', 'e', 'd', 'e'] : ['a', 'b', 'c', 'd', 'e'])
  }
})

t.test('memory is shared with an owner elsewhere, and used again unless somebody may still look at it', async t => {
  const { add, take } = scripted()
  const memoryOf = ({ event }: Asked) => (event as StoreAppendEvent).batch.buffer
  const next = async (acknowledgement: AppendRequest['acknowledgement']) => {
    add('a', { acknowledgement })
    return (await take())[0]!
  }
  const first = await next('committed')
  t.ok(memoryOf(first) instanceof SharedArrayBuffer)
  first.answer(stored(0, 1))
  await turn()
  const second = await next('flushed')
  t.equal(memoryOf(second), memoryOf(first))
  second.answer(stored(1, 1, [{ index: 0, error: encodeError(partitionNotFound(9)) }]))
  await turn()
  const third = await next('committed')
  t.ok(memoryOf(third) instanceof SharedArrayBuffer)
  t.not(memoryOf(third), memoryOf(second), 'one that was refused may still be in other hands')
  const early = await next('received')
  t.notOk(memoryOf(early) instanceof SharedArrayBuffer, 'what is answered early is looked at after that')
})

t.test('a flight that grew out of its memory crosses all the same, and the memory serves the next one', async t => {
  const { add, take, texts, settled } = scripted()
  const large = 'x'.repeat(slotBytes)
  add('a')
  add(large)
  const [ask] = await take()
  t.equal(ask!.texts, `a${large}`)
  t.notOk((ask!.event as StoreAppendEvent).batch.buffer instanceof SharedArrayBuffer)
  ask!.answer(stored(0, 2))
  add('b')
  t.same(await texts(), ['b'])
  t.equal(settled.length, 2)
})

t.test('what is to be answered before it is committed goes by itself, and is not answered out of order', async t => {
  const { add, take, settled } = scripted()
  add('a')
  add('b', { acknowledgement: 'received' })
  add('x', { acknowledgement: 'received', partitionId: 2 })
  add('c', { acknowledgement: 'flushed' })
  const [first, second] = await take()
  t.same([first!.texts, second!.texts], ['a', 'bx'])
  second!.answer(stored(1, 2))
  const [third] = await take()
  t.equal(third!.texts, 'c')
  t.same(settled, ['x 2'], 'b waits for a')
  third!.answer(stored(2, 1))
  first!.answer(stored(0, 1))
  await turn()
  t.same(settled, ['x 2', 'a 0', 'b 1', 'c 2'])
})

t.test('a large flight takes no more', async t => {
  const { add, texts } = scripted()
  const large = 'x'.repeat(1_100_000)
  add(large)
  add('b')
  t.same(await texts(), [large, 'b'])
})

t.test('what a lost owner had in hand fails; the rest is sent to the next one, in order', async t => {
  const { add, take, texts, settled } = scripted()
  const asks: Asked[] = []
  for (const text of ['a', 'b', 'c']) {
    add(text)
    asks.push(...(await take()))
  }
  t.equal(asks.length, 2)
  asks[1]!.refuse('SHARD_DIED', 'no')
  add('d')
  t.same(await texts(), [], 'nothing is sent while others may still come back')
  asks[0]!.refuse('ACTOR_DIED', 'unknown')
  const [whenOpen] = await take()
  t.same(settled, ['a ACTOR_DIED'])
  t.match(whenOpen, { texts: 'store.whenOpen', timeoutMs: 1_000 })
  add('e')
  t.same(await texts(), [])
  whenOpen!.answer({ incarnation: 2 })
  const again = await take()
  t.match(again, [{ texts: 'b' }, { texts: 'cde' }])
  t.match(again[0], { event: { incarnation: 2 } })
  for (const [index, ask] of again.entries()) ask.answer(stored(10 * index, index === 1 ? 3 : 1))
  await turn()
  t.same(settled.slice(1), ['b 0', 'c 10', 'd 11', 'e 12'])
})

t.test('a new owner that dies while it opens is waited for again', async t => {
  const { add, take } = scripted()
  add('a')
  ;(await take())[0]!.refuse('ACTOR_DIED', 'no')
  ;(await take())[0]!.refuse('ACTOR_DIED', 'no')
  ;(await take())[0]!.answer({ incarnation: 3 })
  t.match(await take(), [{ texts: 'a', event: { incarnation: 3 } }])
})

t.test('what is not sent in its time fails, and what was sent has the time that is left', async t => {
  const { add, take, settled, clock } = scripted()
  add('a')
  const [ask] = await take()
  await clock.advance(400)
  add('b')
  const [other] = await take()
  ask!.refuse('ACTOR_DIED', 'no')
  other!.refuse('ACTOR_DIED', 'no')
  const [whenOpen] = await take()
  t.equal(whenOpen!.timeoutMs, 600)
  await clock.advance(599)
  whenOpen!.answer({ incarnation: 2 })
  const again = await take()
  t.match(again, [
    { texts: 'a', timeoutMs: 1 },
    { texts: 'b', timeoutMs: 401 },
  ])
  again[0]!.refuse('ASK_TIMEOUT', 'unknown')
  again[1]!.refuse('ACTOR_DIED', 'no')
  const [next] = await take()
  await clock.advance(500)
  next!.answer({ incarnation: 3 })
  t.same(await take(), [])
  t.same(settled, ['a ASK_TIMEOUT', 'b ASK_TIMEOUT'])
})

t.test('an owner that is gone for good fails all', async t => {
  const { add, take, settled, queue } = scripted()
  add('a')
  ;(await take())[0]!.refuse('ACTOR_DIED', 'no')
  add('b')
  const [whenOpen] = await take()
  whenOpen!.refuse('NO_SUCH_ACTOR', 'no')
  const [next] = await take()
  next!.refuse('NO_SUCH_ACTOR', 'no')
  t.same(await take(), [])
  t.same(settled, ['a NO_SUCH_ACTOR', 'b NO_SUCH_ACTOR'])
  t.equal(queue.bytes, 0)
})

t.test('what two lost flights bring back goes in the order in which it was sent, before all else', async t => {
  const { add, take } = scripted()
  const asks: Asked[] = []
  for (const text of ['a', 'b', 'c']) {
    add(text)
    asks.push(...(await take()))
  }
  asks[1]!.refuse('ACTOR_DIED', 'no')
  t.same(await take(), [], 'the first one may still come back')
  asks[0]!.refuse('ACTOR_DIED', 'no')
  const [whenOpen] = await take()
  whenOpen!.answer({ incarnation: 2 })
  const [first, second] = await take()
  t.same([first!.texts, second!.texts], ['a', 'b'])
  first!.answer(stored(0, 1))
  t.match(await take(), [{ texts: 'c' }])
})
