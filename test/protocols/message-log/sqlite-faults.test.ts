/** What goes wrong with a store is told in the words of the contract, and costs nothing that was acknowledged. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { appendOf, valuesIn } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { AppendResult, LogEngine } from '../../../src/protocols/message-log/engine/contract.ts'
import type { SqliteLogOptions } from '../../../src/protocols/message-log/engine/sqlite/config.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { newContext, newFolder } from './sqlite-world.ts'

const plenty = 1_048_576

async function open(options: SqliteLogOptions, lost: unknown[] = []): Promise<LogEngine> {
  return sqliteLogEngine.opener.open(options, newContext(lost))
}

async function refused(t: Test, path: string, reason: string, message: RegExp): Promise<void> {
  await t.rejects(open({ path }), { code: 'STORAGE_FAILED', message, details: { reason, store: path } })
}

t.test('options that cannot be are named', async t => {
  await t.rejects(open({ path: '' }), { code: 'BAD_CONFIG', message: /path/ })
  const nothing: unknown = {}
  await t.rejects(open(nothing as SqliteLogOptions), { code: 'BAD_CONFIG', message: /path/ })
  await t.rejects(open({ path: ':memory:' }), { code: 'BAD_CONFIG', message: /path is no file: memoryLogEngine/ })
  await t.rejects(open({ path: 'x', diskFreeBytesMin: 1 }), { code: 'BAD_CONFIG', message: /diskFreeBytesMin/ })
  await t.rejects(open({ path: 'x', fileBytesMax: 1 }), { code: 'BAD_CONFIG', message: /fileBytesMax/ })
  const misspelt = { path: 'x', fileByteMax: 1 }
  await t.rejects(open(misspelt), { code: 'BAD_CONFIG', message: /did you mean fileBytesMax/ })
})

t.test('the folder of a store is made, and a store is open once, under whatever name', async t => {
  const path = join(newFolder(t), 'deep', 'down', 'log.db')
  const engine = await open({ path })
  const text = /log\.db: the store is open in another process or thread/
  await refused(t, path, 'busy', text)
  await t.rejects(open({ path: relative(process.cwd(), path) }), {
    code: 'STORAGE_FAILED',
    details: { reason: 'busy', store: path },
  })
  await engine.close()
  await (await open({ path })).close()
})

t.test('a store is open once, by whatever links it is found', async t => {
  const folder = newFolder(t)
  const path = join(folder, 'log.db')
  mkdirSync(join(folder, 'links'))
  symlinkSync(path, join(folder, 'links', 'file.db'))
  symlinkSync(join('..', 'links', 'file.db'), join(folder, 'links', 'twice.db'))
  symlinkSync(folder, join(folder, 'links', 'folder'))
  const names = [path, ...['file.db', 'twice.db', 'folder/log.db'].map(name => join(folder, 'links', name))]
  // The first of them makes the file, through a link that leads nowhere yet.
  for (const first of names.toReversed()) {
    const engine = await open({ path: first })
    for (const second of names) await refused(t, second, 'busy', /the store is open in another process or thread/)
    await engine.close()
  }
  const nowhere = join(folder, 'circle.db')
  symlinkSync(nowhere, nowhere)
  await refused(t, nowhere, 'io', /circle\.db/)
})

t.test('a folder that cannot be made is refused', async t => {
  const file = join(newFolder(t), 'file')
  writeFileSync(file, '')
  await refused(t, join(file, 'deep', 'log.db'), 'io', /ENOTDIR/)
  // A file system that takes no folders, and says that there is none above.
  if (process.platform === 'linux') await refused(t, '/proc/nowhere/deep/log.db', 'io', /ENOENT/)
})

t.test('a file that is no store is refused, and left as it is', async t => {
  const folder = newFolder(t)
  const text = join(folder, 'text')
  writeFileSync(text, 'not a database, but a text that is longer than the header of one would be. '.repeat(20))
  const before = readFileSync(text)
  await refused(t, text, 'corrupt', /text: file is not a database/)
  t.ok(readFileSync(text).equals(before))

  const other = join(folder, 'other.db')
  const database = new DatabaseSync(other)
  database.exec('CREATE TABLE customers (name TEXT)')
  database.close()
  const otherBefore = readFileSync(other)
  await refused(t, other, 'foreign', /other\.db: the file is a database of something else/)
  t.ok(readFileSync(other).equals(otherBefore))

  mkdirSync(join(folder, 'folder'))
  await refused(t, join(folder, 'folder'), 'io', /folder: unable to open database file/)
})

t.test('a store of another version is refused, by engine and reader', async t => {
  const path = join(newFolder(t), 'log.db')
  await (await open({ path })).close()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA user_version = 99')
  database.close()
  await refused(t, path, 'foreign', /version 99; only version 2 can be opened/)
  await t.rejects(async () => sqliteLogEngine.opener.openReader!({ path }, newContext()), {
    code: 'STORAGE_FAILED',
    details: { reason: 'foreign' },
  })
})

t.test('a reader needs a store', async t => {
  const path = join(newFolder(t), 'log.db')
  await t.rejects(async () => sqliteLogEngine.opener.openReader!({ path }, newContext()), {
    code: 'STORAGE_FAILED',
    message: /log\.db: unable to open database file/,
  })
})

t.test(
  'a row that was changed is refused, by engine and reader; what is before it, and behind it, is read',
  async t => {
    const path = join(newFolder(t), 'log.db')
    const engine = await open({ path })
    const partitionId = (await engine.createTopic('orders', 1)).partitionIds[0]!
    for (const values of [['a', 'b'], ['c', 'd'], ['e']]) await engine.append(appendOf(partitionId, values))
    const changes: Readonly<Record<string, (connection: DatabaseSync) => void>> = {
      'a length': connection => {
        const { messages } = connection.prepare('SELECT messages FROM batches WHERE base_offset = 2').get() as {
          messages: Uint8Array
        }
        const changed = Buffer.from(messages)
        changed.writeInt32BE(1_048_576, 12)
        connection.prepare('UPDATE batches SET messages = ? WHERE base_offset = 2').run(changed)
      },
      'its end': connection =>
        connection.exec('UPDATE batches SET messages = substr(messages, 1, 20) WHERE base_offset = 2'),
      'the count': connection => connection.exec('UPDATE batches SET count = 1 WHERE base_offset = 2'),
      'the partition': connection => connection.exec('UPDATE batches SET partition_id = 99 WHERE base_offset = 2'),
    }
    for (const [name, change] of Object.entries(changes)) {
      const connection = new DatabaseSync(path)
      connection.exec('CREATE TABLE sound AS SELECT * FROM batches')
      change(connection)
      const reader = await sqliteLogEngine.opener.openReader!({ path }, newContext())
      for (const source of [engine, reader]) {
        t.same(valuesIn(await source.read(partitionId, 1, plenty)), ['1:b'], name)
        await t.rejects(
          async () => source.read(partitionId, 2, plenty),
          { code: 'STORAGE_FAILED', message: /partition 1 is corrupt at offset 2: /, details: { reason: 'corrupt' } },
          name,
        )
        t.same(valuesIn(await source.read(partitionId, 4, plenty)), ['4:e'], name)
      }
      await reader.close()
      connection.exec('DELETE FROM batches; INSERT INTO batches SELECT * FROM sound; DROP TABLE sound')
      connection.close()
    }
    t.same(valuesIn(await engine.read(partitionId, 0, plenty)).length, 5)
    await engine.close()
  },
)

t.test('topics are read again when they have changed, by whatever connection, and not before', async t => {
  const path = join(newFolder(t), 'log.db')
  const engine = await open({ path })
  const reader = await sqliteLogEngine.opener.openReader!({ path }, newContext())
  const orders = await engine.createTopic('orders', 2)
  for (const source of [engine, reader]) {
    const topics = await source.listTopics()
    t.same(topics, [orders])
    await engine.append(appendOf(orders.partitionIds[0]!, ['a']))
    t.equal(await source.listTopics(), topics)
  }
  await engine.deleteTopic('orders')
  for (const source of [engine, reader]) t.same(await source.listTopics(), [])
  await reader.close()
  await engine.close()
})

t.test('a full store refuses appends, keeps what it has, and takes more when there is room', async t => {
  const path = join(newFolder(t), 'log.db')
  const lost: unknown[] = []
  const engine = await open({ path, fileBytesMax: 524_288 }, lost)
  const partitionId = (await engine.createTopic('orders', 1)).partitionIds[0]!
  const value = 'v'.repeat(10_000)
  const append = (sequence: number): AppendResult | Promise<AppendResult> =>
    engine.append(appendOf(partitionId, [`${sequence}${value}`], { producer: { id: 1n, sequence } }))
  const full = { code: 'STORAGE_FAILED', handled: 'unknown', details: { reason: 'full', store: path } }
  let stored = 0
  try {
    for (;;) t.same(await append(stored), { baseOffset: stored++, stored: 1 })
  } catch (error) {
    t.match(error, full)
  }
  t.ok(stored > 10)

  const together = await Promise.allSettled([append(stored), append(stored + 1), append(stored)])
  for (const outcome of together) t.match(outcome, { status: 'rejected', reason: full })
  const early = appendOf(partitionId, [value], { acknowledgement: 'received' })
  t.same(await engine.append(early), { baseOffset: stored, stored: 1 })
  await t.rejects(async () => append(stored), full)
  t.match(lost, [full])

  t.equal(await engine.highWaterMark(partitionId), stored)
  t.equal(valuesIn(await engine.read(partitionId, 0, plenty)).length, stored)
  t.same(await append(stored - 1), { baseOffset: stored - 1, stored: 1 })

  const ever = Number.POSITIVE_INFINITY
  await engine.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: 50_000 })
  t.same(await append(stored), { baseOffset: stored, stored: 1 })
  t.same(await append(stored), { baseOffset: stored, stored: 1 })
  await engine.close()
  const again = await open({ path })
  t.equal(await again.highWaterMark(partitionId), stored + 1)
  await again.close()
})

t.test('a store of smaller pages keeps them, and its bound is as many bytes', async t => {
  const path = join(newFolder(t), 'log.db')
  await (await open({ path })).close()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM')
  database.close()
  const fileBytesMax = 524_288
  const engine = await open({ path, fileBytesMax })
  const partitionId = (await engine.createTopic('orders', 1)).partitionIds[0]!
  const filling = async (): Promise<never> => {
    for (;;) await engine.append(appendOf(partitionId, ['v'.repeat(10_000)]))
  }
  await t.rejects(filling(), { code: 'STORAGE_FAILED', details: { reason: 'full' } })
  const storedBytes = 10_000 * (await engine.highWaterMark(partitionId))
  t.ok(storedBytes > 0.75 * fileBytesMax && storedBytes < fileBytesMax)
  await engine.close()
})

t.test('nothing is left of a deleted topic, what was in hand included', async t => {
  const path = join(newFolder(t), 'log.db')
  const engine = await open({ path })
  const partitionId = (await engine.createTopic('orders', 3)).partitionIds[0]!
  const inHand = engine.append(appendOf(partitionId, ['a'], { producer: { id: 1n, sequence: 0 } }))
  await engine.deleteTopic('orders')
  const removed = engine.retain({ ageMs: plenty, partitionBytesMax: plenty, producerAgeMs: Number.POSITIVE_INFINITY })
  t.same(await inHand, { baseOffset: 0, stored: 1 })
  t.equal((await removed).batches, 1)
  await engine.close()
  const database = new DatabaseSync(path)
  for (const table of ['topics', 'partitions', 'batches', 'producers'])
    t.same({ ...database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() }, { rows: 0 }, table)
  database.close()
})

t.test('damage is found when it is met', async t => {
  const path = join(newFolder(t), 'log.db')
  const engine = await open({ path })
  const partitionId = (await engine.createTopic('orders', 1)).partitionIds[0]!
  for (let index = 0; index < 300; index++) await engine.append(appendOf(partitionId, ['x'.repeat(1_000)]))
  await engine.close()
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xff, bytes.length / 2))
  const damaged = await open({ path })
  const corrupt = { code: 'STORAGE_FAILED', details: { reason: 'corrupt', store: path } }
  await t.rejects(async () => {
    for (let offset = 0; offset < 300; offset++) await damaged.read(partitionId, offset, 1)
  }, corrupt)
  await t.rejects(async () => damaged.append(appendOf(partitionId, ['x'])), corrupt)
  await damaged.close()
})

t.test('a row without messages is told as corrupt', async t => {
  const path = join(newFolder(t), 'log.db')
  const engine = await open({ path })
  const partitionId = (await engine.createTopic('orders', 1)).partitionIds[0]!
  await engine.append(appendOf(partitionId, ['x'.repeat(20_000)]))
  await engine.close()
  const database = new DatabaseSync(path, { defensive: false })
  database.exec(
    `CREATE TABLE other AS
     SELECT partition_id, base_offset, count, stored_ms, end_bytes, checksum, NULL AS messages FROM batches`,
  )
  database.exec('PRAGMA writable_schema = ON')
  database.exec(
    `UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'other') WHERE name = 'batches'`,
  )
  database.close()
  const damaged = await open({ path })
  await t.rejects(async () => damaged.read(partitionId, 0, plenty), {
    code: 'STORAGE_FAILED',
    details: { reason: 'corrupt', store: path },
  })
  await damaged.close()
})
