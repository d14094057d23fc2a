/** What a log server is told that cannot be used, or opened. */
import t from 'tap'
import {
  createEventServer,
  createLogClient,
  createLogServer,
  defineLogEngine,
  memoryLogEngine,
  sqliteLogEngine,
} from '../../src/index.ts'
import { brokenEngine } from './fixtures/broken-engine.ts'
import { closedEngine } from './fixtures/closed-engine.ts'
import { serveLog } from './fixtures/served-log.ts'

t.test('servers of what is no system are told so', async t => {
  const engine = memoryLogEngine.with(undefined)
  for (const nothing of [undefined, null, {}] as never[]) {
    const refusal = { code: 'BAD_CONFIG', message: /^create(Event|Log)Server: system is .*, no system$/ }
    t.throws(() => createEventServer(nothing, { port: 0 }), refusal)
    t.throws(() => createLogServer(nothing, { port: 0, engine }), refusal)
  }
})

t.test('what cannot be used is told at once, and what cannot be opened before anything listens', async t => {
  const { system } = await serveLog(t, 0)
  const engine = memoryLogEngine.with(undefined)
  t.throws(() => createLogServer(system, { port: 0 } as never), {
    code: 'BAD_CONFIG',
    message: /a log server: engine is undefined, not what with\(…\) of a log engine returns/,
  })
  t.throws(() => createLogServer(system, { port: 0, engine, frameBytesMax: 1, retention: { ageMs: 0 } }), {
    message: /frameBytesMax is 1, not a whole number from 4096 .*retention\.ageMs is 0, /,
  })
  t.throws(() => createLogServer(system, { port: 0, engine, requestTimeoutMS: 1 } as never), {
    message: /did you mean requestTimeoutMs\?/,
  })
  const nowhere = createLogServer(system, {
    id: 'b',
    port: 0,
    engine: sqliteLogEngine.with({ path: '/dev/null/folder/log.db' }),
  })
  await t.rejects(nowhere.start(), { code: 'STORAGE_FAILED' })
  const wrong = createLogServer(system, { id: 'c', port: 0, engine: sqliteLogEngine.with({ path: '' }) })
  await t.rejects(wrong.start(), { code: 'BAD_CONFIG', message: /sqliteLogEngine: path/ })
})

t.test('a server whose id makes it look like a child of another actor does not start', async t => {
  const { system } = await serveLog(t, 0)
  await system.supervise({ id: 'shop', strategy: 'one_for_one', children: [] })
  const servers = [
    createLogServer(system, { id: 'shop/log', port: 0, engine: memoryLogEngine.with(undefined) }),
    createEventServer(system, { id: 'shop/deep/events', port: 0 }),
  ]
  for (const server of servers) {
    await t.rejects(server.start(), {
      code: 'BAD_CONFIG',
      message: /the server shop\/\w.* would look like a child of shop, and is a tree of its own/,
      details: { option: 'id', parent: 'shop' },
    })
  }
  const alone = createEventServer(system, { id: 'shops/events', port: 0 })
  await alone.start()
  await alone.stop()
})

t.test('a topic that all topics together have no room for is refused by the name of the limit', async t => {
  const { port } = await serveLog(t, 1, { partitionsMax: 10 })
  await using client = createLogClient(`127.0.0.1:${port}`)
  await client.createTopic('orders', 8)
  await t.rejects(client.createTopic('bills', 3), {
    code: 'REQUEST_REFUSED',
    message: /partitions would make 11 of all topics together; partitionsMax is 10/,
  })
  await client.createTopic('bills', 2)
  await client.deleteTopic('orders')
  t.equal((await client.createTopic('notes', 8)).partitions.length, 8)
})

t.test('an engine that does not open fails the start, with what it threw', async t => {
  const { system } = await serveLog(t, 0)
  const throwing = createLogServer(system, { id: 'b', port: 0, engine: closedEngine.with('throws') })
  await t.rejects(throwing.start(), {
    code: 'START_FAILED',
    message: 'b/store could not be started: bootstrapFailed: no tape in the drive',
    cause: new TypeError('no tape in the drive'),
  })
  const waiting = createLogServer(system, { id: 'c', port: 0, engine: closedEngine.with('waits'), openTimeoutMs: 50 })
  await t.rejects(waiting.start(), {
    code: 'START_FAILED',
    message: 'c/store could not be started: initTimedOut after 50 ms',
  })
})

t.test('an engine that lacks what engines do fails the start, and says what', async t => {
  const cases = [
    ['engine', /what the log engine brokenEngine opened is no LogEngine: listTopics is undefined, not a function; /],
    ['nothing', /what the log engine brokenEngine opened is no LogEngine: it is undefined, not an object$/],
    ['reader', /what the log engine brokenEngine opened is no LogReader: release is 7, not a function$/],
  ] as const
  for (const shards of [0, 1]) {
    const { system } = await serveLog(t, shards)
    for (const [broken, message] of cases) {
      const server = createLogServer(system, { id: 'b', port: 0, engine: brokenEngine.with(broken) })
      await t.rejects(server.start(), { code: 'BAD_CONFIG', message }, `${broken}, ${shards} shards`)
    }
  }
})

t.test('what is no definition of an engine is refused where it is defined', async t => {
  const define = defineLogEngine as (...args: unknown[]) => unknown
  t.throws(() => define(), {
    code: 'BAD_CONFIG',
    message:
      'defineLogEngine: moduleUrl is undefined, not a string that is not empty; exportName is undefined, not a string that is not empty; opener is undefined, not an object with options',
  })
  t.throws(() => define(import.meta.url, 'tape', { opn() {}, openReader: 7 }), {
    code: 'BAD_CONFIG',
    message:
      'defineLogEngine: opener.opn is not known: did you mean open?; opener.open is undefined, not a function; opener.openReader is 7, not a function',
  })
})
