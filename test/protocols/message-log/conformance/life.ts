/** Waiting for messages, and closing. */
import type { EngineTest } from '../engine-world.ts'
import { appendOf } from '../stored-messages.ts'
import { attempt, closedError, keepAll, patient, plenty } from './common.ts'

/** Runs the cases. */
export function runLife(test: EngineTest): void {
  test('a wait ends with the first message past its offset', async (t, { engine, reader }, id) => {
    const order: string[] = []
    const first = reader.whenPast(id, 0, patient).then(() => order.push('first'))
    const second = reader.whenPast(id, 1, patient).then(() => order.push('second'))
    const ofEngine = engine.whenPast(id, 0, patient)
    await engine.append(appendOf(id, ['a']))
    await Promise.all([first, ofEngine])
    t.same(order, ['first'])
    t.equal(await reader.highWaterMark(id), 1)
    await engine.append(appendOf(id, ['b']))
    await second
    t.same(order, ['first', 'second'])
    await reader.whenPast(id, 0, patient)
  })

  test('other partitions wake nobody in vain', async (t, { engine, reader }, id) => {
    const others = (await engine.createTopic('others', 1_200)).partitionIds
    const abort = new AbortController()
    let settled = false
    const wait = reader.whenPast(id, 0, abort.signal).then(() => {
      settled = true
    })
    for (const other of others) await engine.append(appendOf(other, ['a']))
    await reader.whenPast(others.at(-1)!, 0, patient)
    t.notOk(settled)
    await engine.append(appendOf(id, ['a']))
    await wait
    t.ok(settled)
  })

  test('a wait ends when its signal aborts, and one that comes aborted at once', async (t, { reader }, id) => {
    const abort = new AbortController()
    const wait = reader.whenPast(id, 0, abort.signal)
    abort.abort()
    await wait
    await reader.whenPast(id, 0, abort.signal)
    t.equal(await reader.highWaterMark(id), 0)
  })

  test('a wait is refused when its topic is deleted, and when its reader closes', async (t, world, id) => {
    const { engine, reader } = world
    const kept = (await engine.createTopic('kept', 1)).partitionIds[0]!
    const waits = [reader.whenPast(id, 0, patient), engine.whenPast(id, 0, patient)]
    const refused = Promise.all(waits.map(wait => t.rejects(wait, { code: 'PARTITION_NOT_FOUND' })))
    await engine.deleteTopic('orders')
    await refused
    const closed = t.rejects(reader.whenPast(kept, 0, patient), closedError)
    await reader.close()
    await closed
  })

  test('what comes after the close is refused, and closing again is not', async (t, { engine, reader }, id) => {
    await engine.append(appendOf(id, ['a']))
    const waits = [engine.whenPast(id, 1, patient)]
    const refusedWaits = Promise.all(waits.map(wait => t.rejects(wait, closedError)))
    await engine.close()
    await refusedWaits
    await engine.close()
    await reader.close()
    await t.rejects(
      attempt(() => engine.append(appendOf(id, ['a']))),
      { ...closedError, handled: /^no$/ },
    )
    await t.rejects(
      attempt(() => engine.createTopic('bills', 1)),
      closedError,
    )
    await t.rejects(
      attempt(() => engine.deleteTopic('orders')),
      closedError,
    )
    await t.rejects(engine.retain(keepAll), closedError)
    for (const each of [engine, reader]) {
      await t.rejects(
        attempt(() => each.listTopics()),
        closedError,
      )
      await t.rejects(
        attempt(() => each.highWaterMark(id)),
        closedError,
      )
      await t.rejects(
        attempt(() => each.read(id, 0, plenty)),
        closedError,
      )
      await t.rejects(each.whenPast(id, 0, patient), closedError)
    }
  })

  test('an append in hand when it closes is stored, or refused', async (t, { engine, reader }, id) => {
    const appends = Promise.allSettled(['a', 'b'].map(value => engine.append(appendOf(id, [value]))))
    const closing = engine.close()
    const settled = await appends
    await closing
    t.equal(settled.length, 2)
    for (const outcome of settled) {
      if (outcome.status === 'rejected') t.match(outcome.reason, closedError)
    }
    await reader.close()
  })
}
