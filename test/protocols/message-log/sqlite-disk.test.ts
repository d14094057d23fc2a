/** A full disk can be left: retention and deleting topics have their room, and so has who frees some. */
import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { isStarfishError } from '../../../src/messages/errors.ts'
import { appendOf } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { LogEngine } from '../../../src/protocols/message-log/engine/contract.ts'
import type { SqliteLogOptions } from '../../../src/protocols/message-log/engine/sqlite/config.ts'
import { growthBytes } from '../../../src/protocols/message-log/engine/sqlite/disk-room.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { newContext, newFolder } from './sqlite-world.ts'

const mebibyte = 1_048_576
const ever = Number.POSITIVE_INFINITY
const value = 'v'.repeat(100_000)
const clock = createVirtualClock(1_000_000)

async function open(options: SqliteLogOptions): Promise<LogEngine> {
  return sqliteLogEngine.opener.open(options, { ...newContext(), clock })
}

/** More than any of the disks has room for, and not enough to fill that of a developer. */
const fillMax = 1_000

/** Appends until it is refused; answers how many were stored, and what refused the next. */
async function fill(engine: LogEngine, partitionId: number): Promise<{ stored: number; error: unknown }> {
  for (let stored = 0; stored < fillMax; stored++) {
    try {
      await engine.append(appendOf(partitionId, [value]))
    } catch (error) {
      return { stored, error }
    }
  }
  throw new Error(`${fillMax} messages were stored, and none refused`)
}

async function append(engine: LogEngine, partitionId: number, times: number): Promise<void> {
  for (let index = 0; index < times; index++) await engine.append(appendOf(partitionId, [value]))
}

t.test('a file grows by half of what is free beside the reserve', async t => {
  const all = { freeBytes: 100, unmovedBytes: 10, logBytes: 5, reserveBytes: 25 }
  t.equal(growthBytes(all), 35)
  t.equal(growthBytes({ ...all, logBytes: 25 }), 45)
  t.equal(growthBytes({ ...all, logBytes: 80 }), 45, 'a longer log is no more than its reserve')
  t.equal(growthBytes({ ...all, freeBytes: 30 }), 0)
  t.equal(growthBytes({ ...all, freeBytes: 29 }), 0)
})

t.test('a store whose disk has no room beyond the reserve takes what fits into freed pages', async t => {
  const path = join(newFolder(t), 'log.db')
  const free = await open({ path, diskFreeBytesMin: mebibyte })
  const [first] = (await free.createTopic('orders', 1)).partitionIds
  await append(free, first!, 20)
  await free.close()

  const engine = await open({ path, diskFreeBytesMin: Number.MAX_SAFE_INTEGER })
  const { stored, error } = await fill(engine, first!)
  t.ok(stored <= 1)
  t.match(error, {
    code: 'STORAGE_FAILED',
    details: { reason: 'full', store: path },
    message: /database or disk is full: the disk has \d+ bytes left for it, of which diskFreeBytesMin keeps \d+$/,
  })
  const { batches } = await engine.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: 10 * value.length })
  t.equal(batches, 11 + stored)
  const again = await fill(engine, first!)
  t.ok(again.stored >= batches - 1 && again.stored <= batches + 1, `${again.stored} of ${batches}`)
  await engine.deleteTopic('orders')
  await engine.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: ever })
  const bills = (await engine.createTopic('bills', 1)).partitionIds[0]!
  await append(engine, bills, 20)
  await engine.close()
})

t.test('a file that is gone is noticed within a second of appends, and nothing is acknowledged then', async t => {
  for (const lose of [rmSync, replace, moveFolder, removeLog]) {
    const folder = newFolder(t)
    mkdirSync(join(folder, 'data'))
    const path = join(folder, 'data', 'log.db')
    const engine = await open({ path })
    const partitionId = (await engine.createTopic('orders', 1)).partitionIds[0]!
    await append(engine, partitionId, 1)
    lose(path)
    await clock.advance(1_000)
    const gone = {
      code: 'STORAGE_FAILED',
      handled: /^no$/,
      message:
        /log\.db: the (?:file|log of the store \(-wal\)) was removed while the store was open, or another one is in its place/,
      details: { reason: 'io', store: path },
    }
    for (const delayMs of [0, 10, 5_000]) {
      await clock.advance(delayMs)
      await t.rejects(append(engine, partitionId, 1), gone)
      await t.rejects(async () => engine.createTopic('bills', 1), gone)
      await t.rejects(engine.retain({ ageMs: 1, producerAgeMs: 1, partitionBytesMax: 1 }), gone)
    }
    await engine.close()
  }
})

t.test('a file that gets another name takes nothing while it has it', async t => {
  const folder = newFolder(t)
  const path = join(folder, 'log.db')
  const engine = await open({ path })
  const partitionId = (await engine.createTopic('orders', 1)).partitionIds[0]!
  await append(engine, partitionId, 1)
  const other = join(folder, 'other.db')
  linkSync(path, other)
  const named = {
    code: 'STORAGE_FAILED',
    message: /has 2 names \(hard links\): a store has one/,
    details: { reason: 'io' },
  }
  await t.rejects(open({ path: other }), named)
  await t.rejects(async () => sqliteLogEngine.opener.probe!({ path: other }), named)
  await clock.advance(1_000)
  await t.rejects(append(engine, partitionId, 1), named)
  rmSync(other)
  await clock.advance(1_000)
  await append(engine, partitionId, 1)
  await engine.close()
})

function removeLog(path: string): void {
  rmSync(`${path}-wal`)
}

function replace(path: string): void {
  rmSync(path)
  writeFileSync(path, '')
}

function moveFolder(path: string): void {
  renameSync(join(path, '..'), join(path, '..', '..', 'moved'))
}

/** A small disk of its own, in memory. What a container does not let its root do is no want of something to be installed. */
const skip = mayMount() ? false : 'no disk can be mounted: that needs Linux, root and CAP_SYS_ADMIN'

function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const capabilities = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${capabilities}`) >> 21n) % 2n === 1n
}

function newDisk(t: Test): string {
  const folder = newFolder(t)
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  t.teardown(() => void spawnSync('umount', [folder]))
  return folder
}

t.test(
  'a disk that the log has filled is left by retention, by deleting a topic, and over restarts',
  { skip },
  async t => {
    const path = join(newDisk(t), 'log.db')
    let engine = await open({ path })
    const orders = (await engine.createTopic('orders', 1)).partitionIds[0]!
    const first = await fill(engine, orders)
    t.match(first.error, { code: 'STORAGE_FAILED', details: { reason: 'full' } })
    t.ok(first.stored > 200, `${first.stored} messages of 0.1 MB on 32 MiB`)
    for (let round = 0; round < 2; round++) {
      await engine.close()
      engine = await open({ path })
      t.match((await fill(engine, orders)).error, { code: 'STORAGE_FAILED', details: { reason: 'full' } })
    }
    const { batches } = await engine.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: 5 * mebibyte })
    t.ok(batches > 150)
    await append(engine, orders, 100)
    t.match((await fill(engine, orders)).error, { code: 'STORAGE_FAILED', details: { reason: 'full' } })

    await engine.deleteTopic('orders')
    await engine.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: ever })
    const bills = (await engine.createTopic('bills', 1)).partitionIds[0]!
    await append(engine, bills, 200)
    await engine.close()
  },
)

t.test('a disk that others have filled is left when they free it', { skip }, async t => {
  const folder = newDisk(t)
  const path = join(folder, 'log.db')
  const ballast = join(folder, 'ballast')
  const engine = await open({ path })
  const orders = (await engine.createTopic('orders', 1)).partitionIds[0]!
  await append(engine, orders, 100)
  t.throws(() => writeFileSync(ballast, Buffer.alloc(32 * mebibyte)), { code: 'ENOSPC' })
  t.ok(statSync(ballast).size > 0)
  const { error } = await fill(engine, orders)
  t.ok(isStarfishError(error, 'STORAGE_FAILED'))
  t.match(error, { details: { reason: 'full' } })
  rmSync(ballast)
  await append(engine, orders, 50)
  t.ok((await engine.highWaterMark(orders)) >= 150)
  await engine.close()
})
