/** A writer that is killed in the middle of its work loses nothing that it acknowledged, and holds no lock on. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { appendOf, valuesIn } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { LogEngine } from '../../../src/protocols/message-log/engine/contract.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { type BusyWriterSetup, busyProducerId, valuesOf } from './fixtures/busy-values.ts'
import { newContext, newFolder } from './sqlite-world.ts'

const writerUrl = new URL('./fixtures/busy-writer.ts', import.meta.url)

/** What a writer reports until it is dead: its acknowledged sequences with their base offsets. */
type Acknowledged = Map<number, number>

/** Runs a writer and kills it at its so manieth report. */
type KillWriter = (t: Test, setup: BusyWriterSetup, reports: number) => Promise<Acknowledged>

const killProcess: KillWriter = async (t, setup, reports) => {
  const child = spawn(process.execPath, [fileURLToPath(writerUrl), JSON.stringify(setup)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const acknowledged: Acknowledged = new Map()
  for await (const line of createInterface({ input: child.stdout })) {
    note(acknowledged, line)
    if (acknowledged.size === 1) await refusedWhileOpen(t, setup.path)
    if (acknowledged.size === reports) child.kill('SIGKILL')
  }
  const [, signal] = await exit
  if (signal !== 'SIGKILL') throw new Error('the writer ended by itself')
  return acknowledged
}

const killThread: KillWriter = async (_t, setup, reports) => {
  const worker = new Worker(writerUrl, { workerData: setup })
  const exit = once(worker, 'exit')
  const acknowledged: Acknowledged = new Map()
  worker.on('message', line => {
    note(acknowledged, line)
    if (acknowledged.size === reports) void worker.terminate()
  })
  await exit
  return acknowledged
}

for (const [name, killWriter, rounds] of [
  ['process', killProcess, 4],
  ['thread', killThread, 8],
] as const) {
  t.test(`a killed ${name} loses nothing that was acknowledged`, async t => {
    const path = join(newFolder(t), 'log.db')
    const first = await sqliteLogEngine.opener.open({ path }, newContext())
    const partitionId = (await first.createTopic('orders', 1)).partitionIds[0]!
    await first.close()
    const acknowledged: Acknowledged = new Map()
    let fromSequence = 0
    for (let round = 0; round < rounds; round++) {
      const acknowledgement = round % 2 === 0 ? 'committed' : 'flushed'
      const told = await killWriter(t, { path, partitionId, fromSequence, acknowledgement }, 50 + 211 * round)
      t.ok(told.size > round * 211)
      for (const [sequence, baseOffset] of told) acknowledged.set(sequence, baseOffset)
      const engine = await sqliteLogEngine.opener.open({ path }, newContext())
      fromSequence = await checkStore(t, engine, partitionId, acknowledged)
      await engine.close()
    }
  })
}

t.test('a reader on another thread hears of what a writer commits', async t => {
  const path = join(newFolder(t), 'log.db')
  const context = newContext()
  const first = await sqliteLogEngine.opener.open({ path }, context)
  const partitionId = (await first.createTopic('orders', 1)).partitionIds[0]!
  await first.close()
  const reader = await sqliteLogEngine.opener.openReader!({ path }, context)
  const wait = reader.whenPast(partitionId, 2_000, new AbortController().signal)
  const { advances } = context
  const setup: BusyWriterSetup = { path, partitionId, fromSequence: 0, acknowledgement: 'committed', advances }
  const worker = new Worker(writerUrl, { workerData: setup })
  await wait
  t.ok((await reader.highWaterMark(partitionId)) > 2_000)
  await worker.terminate()
  await reader.close()
})

t.test('a reader hears of what a writer committed that did not live to tell', async t => {
  const path = join(newFolder(t), 'log.db')
  const silent = await sqliteLogEngine.opener.open({ path }, newContext())
  const partitionId = (await silent.createTopic('orders', 1)).partitionIds[0]!
  const context = newContext()
  const reader = await sqliteLogEngine.opener.openReader!({ path }, context)
  const wait = reader.whenPast(partitionId, 0, new AbortController().signal)
  await silent.append(appendOf(partitionId, ['a']))
  await silent.close()
  const next = await sqliteLogEngine.opener.open({ path }, context)
  await wait
  t.equal(await reader.highWaterMark(partitionId), 1)
  await reader.close()
  await next.close()
})

function note(acknowledged: Acknowledged, line: string): void {
  const [sequence, baseOffset] = line.split(' ').map(Number)
  acknowledged.set(sequence!, baseOffset!)
}

async function refusedWhileOpen(t: Test, path: string): Promise<void> {
  await t.rejects(async () => sqliteLogEngine.opener.open({ path }, newContext()), {
    code: 'STORAGE_FAILED',
    message: `${path}: the store is open in another process or thread`,
    details: { reason: 'busy', store: path },
  })
}

/**
 * Everything that was acknowledged is where it was said to be, what was not is there whole or not at all, and nothing is
 * there twice; a repeat of the last append is known. Answers the next sequence to be used.
 */
async function checkStore(
  t: Test,
  engine: LogEngine,
  partitionId: number,
  acknowledged: Acknowledged,
): Promise<number> {
  const found: string[] = []
  const highWaterMark = await engine.highWaterMark(partitionId)
  while (found.length < highWaterMark) found.push(...valuesIn(await engine.read(partitionId, found.length, 1_048_576)))
  t.equal(found.length, highWaterMark)
  const places = new Map<number, number>()
  for (let offset = 0; offset < found.length; ) {
    const sequence = Number(/^\d+:(\d+)\//.exec(found[offset]!)?.[1])
    const values = valuesOf(sequence)
    const there = found.slice(offset, offset + values.length)
    if (places.has(sequence)) t.fail(`sequence ${sequence} is there twice`)
    if (there.some((value, index) => value !== `${offset + index}:${values[index]}`))
      t.fail(`sequence ${sequence} is not there whole`)
    places.set(sequence, offset)
    offset += values.length
  }
  const missing = [...acknowledged].filter(([sequence, baseOffset]) => places.get(sequence) !== baseOffset)
  t.same(missing, [])
  const last = Math.max(...places.keys())
  const producer = { id: busyProducerId, sequence: last }
  const repeat = await engine.append(appendOf(partitionId, valuesOf(last), { producer }))
  t.equal(repeat.baseOffset, places.get(last))
  t.equal(await engine.highWaterMark(partitionId), highWaterMark)
  return last + 1
}
