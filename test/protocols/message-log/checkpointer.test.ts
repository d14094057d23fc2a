/** Checkpoints beside the writer of a store. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { appendOf, valuesIn } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import { Checkpointer } from '../../../src/protocols/message-log/engine/sqlite/checkpointer.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { until } from './serving/log-shard.ts'
import { newContext, newFolder } from './sqlite-world.ts'

const rowBytes = 1_000_000

/** A writer that leaves its log as it is, with a row in it. */
function written(t: Test) {
  const path = join(newFolder(t), 'log.db')
  const writer = new DatabaseSync(path)
  writer.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE rows (bytes BLOB)')
  writer.prepare('INSERT INTO rows VALUES (?)').run(new Uint8Array(rowBytes))
  const passed = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<unknown>()
  const checkpointer = new Checkpointer(path, passed.resolve, failed.resolve)
  t.teardown(() => {
    checkpointer.close()
    if (writer.isOpen) writer.close()
  })
  return { path, writer, checkpointer, passed: passed.promise, failed: failed.promise }
}

t.test('the log is moved into the file while the writer does nothing', async t => {
  const { path, checkpointer, passed } = written(t)
  t.ok(statSync(path).size < rowBytes)
  checkpointer.start()
  checkpointer.start()
  await passed
  t.ok(statSync(path).size >= rowBytes)
})

t.test('what is waited for is done', async t => {
  const { path, checkpointer } = written(t)
  checkpointer.start()
  checkpointer.settle()
  t.ok(statSync(path).size >= rowBytes)
})

t.test('its connection is closed before that of the writer: the log goes with that', async t => {
  const { path, writer, checkpointer, passed } = written(t)
  checkpointer.start()
  await passed
  checkpointer.close()
  writer.close()
  t.notOk(existsSync(`${path}-wal`))
  checkpointer.start()
  checkpointer.close()
})

t.test('another store in the place of the file is left as it is', async t => {
  const { path, checkpointer } = written(t)
  const other = new DatabaseSync(`${path}.other`)
  other.exec('PRAGMA journal_mode = WAL; CREATE TABLE others (bytes BLOB)')
  other.close()
  const bytes = readFileSync(`${path}.other`)
  // Its thread, which looks for the file, is yet to begin.
  checkpointer.start()
  renameSync(path, `${path}.gone`)
  renameSync(`${path}.other`, path)
  checkpointer.settle()
  t.ok(readFileSync(path).equals(bytes))
})

t.test('a file that is gone is not made again', async t => {
  const { path, checkpointer, failed } = written(t)
  checkpointer.start()
  renameSync(path, `${path}.gone`)
  t.match(await failed, { code: 'ENOENT' })
  t.notOk(existsSync(path))
})

t.test('without its thread there is nothing to wait for', async t => {
  const path = join(newFolder(t), 'log.db')
  writeFileSync(path, Buffer.alloc(100_000, 1))
  const failed = Promise.withResolvers<unknown>()
  const checkpointer = new Checkpointer(path, () => {}, failed.resolve)
  checkpointer.start()
  t.match(await failed.promise, { code: 'ERR_SQLITE_ERROR' })
  checkpointer.start()
  checkpointer.settle()
  checkpointer.close()
})

t.test('the log of a store that is written on and on begins anew', async t => {
  const path = join(newFolder(t), 'log.db')
  const opened = () => sqliteLogEngine.opener.open({ path }, newContext())
  const engine = await opened()
  const [id = 0] = (await engine.createTopic('orders', 1)).partitionIds
  const value = 'x'.repeat(500_000)
  const batches = 160
  const write = async (from: number, to: number) => {
    for (let batch = from; batch < to; batch++) await engine.append(appendOf(id, [`${batch} ${value}`]))
  }
  // More than the log is to have, less than a commit would move by itself.
  await write(0, 40)
  await until(() => statSync(path).size > 15_000_000)
  await write(40, batches)
  t.ok(statSync(`${path}-wal`).size < 64 * 1_048_576, 'far less than was written')
  await engine.close()
  t.notOk(existsSync(`${path}-wal`))
  const again = await opened()
  t.equal(await again.highWaterMark(id), batches)
  for (const offset of [0, batches / 2, batches - 1])
    t.same(valuesIn(await again.read(id, offset, 1)), [`${offset}:${offset} ${value}`])
  await again.close()
})
