/** Waiting for messages, and closing. */

import { checkRefusal, closedError, equal, keepAll, ok, patient, plenty, refused, same } from './checks.ts'
import { appendOf } from './stored-messages.ts'
import type { DeclareCase } from './world.ts'

/** Declares the cases. */
export function casesOfLife(test: DeclareCase): void {
  test('a wait ends with the first message past its offset', async ({ engine, reader }, id) => {
    const order: string[] = []
    const first = reader.whenPast(id, 0, patient).then(() => order.push('first'))
    const second = reader.whenPast(id, 1, patient).then(() => order.push('second'))
    const ofEngine = engine.whenPast(id, 0, patient)
    await engine.append(appendOf(id, ['a']))
    await Promise.all([first, ofEngine])
    same(order, ['first'])
    equal(await reader.highWaterMark(id), 1)
    await engine.append(appendOf(id, ['b']))
    await second
    same(order, ['first', 'second'])
    await reader.whenPast(id, 0, patient)
  })

  test('other partitions wake nobody in vain', async ({ engine, reader }, id) => {
    const others = (await engine.createTopic('others', 1_200)).partitionIds
    const abort = new AbortController()
    let settled = false
    const wait = reader.whenPast(id, 0, abort.signal).then(() => {
      settled = true
    })
    for (const other of others) await engine.append(appendOf(other, ['a']))
    await reader.whenPast(others.at(-1)!, 0, patient)
    equal(settled, false)
    await engine.append(appendOf(id, ['a']))
    await wait
    ok(settled)
  })

  test('a wait ends when its signal aborts, and one that comes aborted at once', async ({ reader }, id) => {
    const abort = new AbortController()
    const wait = reader.whenPast(id, 0, abort.signal)
    abort.abort()
    await wait
    await reader.whenPast(id, 0, abort.signal)
    equal(await reader.highWaterMark(id), 0)
  })

  test('a wait is refused when its topic is deleted, and when its reader closes', async (world, id) => {
    const { engine, reader } = world
    const kept = (await engine.createTopic('kept', 1)).partitionIds[0]!
    const waits = [reader.whenPast(id, 0, patient), engine.whenPast(id, 0, patient)]
    const refusals = waits.map(wait => refused(() => wait, { code: 'PARTITION_NOT_FOUND' }))
    await Promise.all([engine.deleteTopic('orders'), ...refusals])
    await Promise.all([refused(() => reader.whenPast(kept, 0, patient), closedError), reader.close()])
  })

  test('what comes after the close is refused, and closing again is not', async ({ engine, reader }, id) => {
    await engine.append(appendOf(id, ['a']))
    await Promise.all([refused(() => engine.whenPast(id, 1, patient), closedError), engine.close()])
    await engine.close()
    await reader.close()
    await refused(() => engine.append(appendOf(id, ['a'])), { ...closedError, handled: 'no' })
    await refused(() => engine.createTopic('bills', 1), closedError)
    await refused(() => engine.deleteTopic('orders'), closedError)
    await refused(() => engine.retain(keepAll), closedError)
    for (const each of [engine, reader]) {
      await refused(() => each.listTopics(), closedError)
      await refused(() => each.highWaterMark(id), closedError)
      await refused(() => each.read(id, 0, plenty), closedError)
      await refused(() => each.whenPast(id, 0, patient), closedError)
    }
  })

  test('an append in hand when it closes is stored, or refused', async ({ engine, reader }, id) => {
    const appends = Promise.allSettled(['a', 'b'].map(value => engine.append(appendOf(id, [value]))))
    const closing = engine.close()
    const settled = await appends
    await closing
    equal(settled.length, 2)
    for (const outcome of settled) {
      if (outcome.status === 'rejected') checkRefusal(outcome.reason, closedError)
    }
    await reader.close()
  })
}
