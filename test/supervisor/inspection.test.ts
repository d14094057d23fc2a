import t from 'tap'
import type { Fact } from '../../src/messages/thread/fact.ts'
import { Inspection } from '../../src/supervisor/inspection.ts'

function fact(action: string, address = 'a'): Fact {
  return { kind: 'action', address, atMs: 1, shard: -1, incarnation: 1, action }
}

function inspect(bufferMax: number): Inspection {
  return new Inspection(
    { bufferMax, under: 'a' },
    async () => {},
    () => {},
  )
}

async function readAll(inspection: Inspection): Promise<string[]> {
  const read: string[] = []
  for await (const each of inspection) {
    read.push(each.kind === 'dropped' ? `${each.count} dropped` : each.kind === 'action' ? each.action : each.kind)
  }
  return read
}

t.test('a reader that is too slow loses facts, and is told how many', async t => {
  const inspection = inspect(2)
  for (const action of ['1', '2', '3', '4']) inspection.offer(fact(action))
  inspection.close()
  inspection.offer(fact('after the end'))
  t.same(await readAll(inspection), ['1', '2 dropped', '2'])
})

t.test('what its filter does not want is neither kept nor counted', async t => {
  const inspection = inspect(1)
  inspection.offer(fact('no', 'b'))
  inspection.offer(fact('yes'))
  inspection.close()
  t.same(await readAll(inspection), ['yes'])
})

t.test('it wakes a reader that waits, and is closed when the reader leaves', async t => {
  let closed = 0
  const inspection = new Inspection(
    {},
    async () => {},
    () => closed++,
  )
  const first = (async () => {
    for await (const each of inspection) return each
    return undefined
  })()
  await null
  inspection.offer(fact('late'))
  t.match(await first, { action: 'late' })
  t.equal(closed, 1)
  inspection.close()
  t.equal(closed, 1)
})

t.test('a second reader is refused, and takes nothing from the first', async t => {
  const inspection = inspect(10)
  const first = readAll(inspection)
  await t.rejects(readAll(inspection), { code: 'BAD_CONFIG', details: { call: 'inspect' } })
  for (const action of ['1', '2']) inspection.offer(fact(action))
  await null
  inspection.close()
  t.same(await first, ['1', '2'])
})

t.test('what a reader that left had not read another can, once it is closed', async t => {
  const inspection = inspect(10)
  for (const action of ['1', '2', '3']) inspection.offer(fact(action))
  for await (const each of inspection) {
    t.match(each, { action: '1' })
    break
  }
  t.same(await readAll(inspection), ['2', '3'])
})
