/** Commands as users write them, on one shard: what becomes of results, errors, deadlines and lost connections. */
import t from 'tap'
import { encodeEventRequest, eventStatus, isStarfishError } from '../../../src/messages/index.ts'
import {
  type Command,
  type CommandContext,
  type CommandRequest,
  type CommandResult,
  type CommandTable,
  defineCommands,
} from '../../../src/protocols/event/commands.ts'
import { eventFailure, type FailureStatus } from '../../../src/protocols/event/event-failure.ts'
import { startEventShard, until } from '../../actors/connection/event-shard.ts'

const hello = encodeEventRequest({ command: 0, sessionId: 99, body: Buffer.from('hello') })

function ask(command: number, sessionId = 0, text = ''): Buffer {
  return encodeEventRequest({ command, sessionId, body: Buffer.from(text) })
}

/** A command that keeps what it is handed until the test settles it. */
function held() {
  const runs: {
    request: CommandRequest
    context: CommandContext
    resolve: (result: CommandResult) => void
    reject: (error: unknown) => void
  }[] = []
  const command: Command = {
    handle(request, context) {
      const { promise, resolve, reject } = Promise.withResolvers<CommandResult>()
      runs.push({ request, context, resolve, reject })
      return promise
    },
  }
  return { command, runs }
}

t.test('what a handler returns, or resolves with, is the body of the answer', async t => {
  const shard = await startEventShard(t, {
    protocol: { raidaId: 3 },
    table: {
      2: { handle: ({ body }) => body.toReversed() },
      3: { handle: ({ body }) => `${body.length} bytes: \u2713` },
      4: { handle() {} },
      5: { handle: async ({ body }) => body.subarray(1) },
      6: { run: 'shard', handle: async ({ body, ...request }) => JSON.stringify(request) },
      7: { async handle() {} },
    },
  })
  const client = await shard.connect()
  for (const command of [2, 3, 4, 5, 6, 7]) {
    client.write(encodeEventRequest({ raidaId: 3, command, sessionId: 2 ** 32 - 1, body: Buffer.from('abc') }))
  }
  const answers = []
  for (let count = 0; count < 6; count++) answers.push(await client.response())
  t.same(
    answers.map(({ body }) => String(body)),
    [
      'cba',
      '3 bytes: \u2713',
      '',
      'bc',
      '{"command":6,"sessionId":4294967295,"raidaId":3,"peerAddress":"127.0.0.1","transport":"tcp"}',
      '',
    ],
  )
  for (const { status, sessionId } of answers) t.same({ status, sessionId }, { status: 0, sessionId: 2 ** 32 - 1 })
})

t.test('the body is the own of its handler, however long it keeps it', async t => {
  const { command, runs } = held()
  const shard = await startEventShard(t, { table: { 2: command } })
  const client = await shard.connect()
  client.write(ask(2, 1, 'first'), ask(2, 2, 'second'), hello)
  await until(() => runs.length === 2)
  const [first, second] = runs.map(({ request }) => request.body)
  t.equal(first!.buffer.byteLength, 5, 'in a buffer that holds nothing else')
  first!.fill(0)
  t.equal(String(Buffer.from(second!)), 'second')
  for (const { request, resolve } of runs) resolve(request.body)
  t.same((await client.response()).body, Buffer.alloc(5))
  t.same(String((await client.response()).body), 'second')
})

t.test('a handler that fails is answered 9 and logged with its number, once a second', async t => {
  let attempt = 0
  const shard = await startEventShard(t, {
    protocol: { replyBytesMax: 8 },
    table: {
      2: {
        handle() {
          throw new Error(`broken ${++attempt}`)
        },
      },
      3: {
        async handle() {
          throw new Error('broken later')
        },
      },
      4: { handle: () => 5 as unknown as string },
      5: { handle: async () => null as unknown as string },
      6: { handle: ({ body }) => body },
      7: { handle: async ({ body }) => body },
    },
  })
  const client = await shard.connect()
  const statusOf = async (request: Buffer) => {
    client.write(request)
    const { status, body } = await client.response()
    if (status !== 0) t.equal(body.length, 0)
    return status
  }
  for (let count = 0; count < 5; count++) t.equal(await statusOf(ask(2)), eventStatus.handlerFailed)
  for (const command of [3, 4, 5]) t.equal(await statusOf(ask(command)), eventStatus.handlerFailed)
  for (const command of [6, 7]) {
    t.equal(await statusOf(ask(command, 0, '8 bytes.')), eventStatus.ok)
    t.equal(await statusOf(ask(command, 0, '9 bytes..')), eventStatus.handlerFailed)
  }
  await shard.clock.advance(1_000)
  t.equal(await statusOf(ask(2)), eventStatus.handlerFailed)
  t.match(shard.runtime.lines, [
    {
      level: 'warn',
      message: 'event command failed',
      fields: { command: 2, leftOut: 0, err: { message: 'broken 1' } },
    },
    { fields: { command: 3, leftOut: 0, err: { message: 'broken later' } } },
    { fields: { command: 4, err: { message: 'a command answers a Uint8Array, a string or undefined, not number' } } },
    { fields: { command: 5, err: { message: /not null$/ } } },
    { fields: { command: 6, err: { message: 'an answer of 9 bytes is over the 8 that replyBytesMax leaves for it' } } },
    { fields: { command: 7, err: { message: /^an answer of 9 bytes/ } } },
    { fields: { command: 2, leftOut: 4, err: { message: 'broken 6' } } },
  ])
  t.equal(shard.runtime.lines.length, 7)
})

/** Throws when it is looked at. */
function sting(): never {
  throw new Error('looked at')
}

t.test('whatever a handler throws costs its request and no other, also what cannot be looked at', async t => {
  const thrown: Record<number, unknown> = {
    2: Object.defineProperty(new Error('code'), 'code', { get: sting }),
    3: Object.defineProperty(new Error('message'), 'message', { get: sting }),
    4: Object.defineProperty(eventFailure('timeout'), 'code', { get: sting }),
    5: new Proxy(new Error('proxy'), { get: sting, getPrototypeOf: sting, ownKeys: sting }),
    6: Object.assign(new Error('toJSON'), { toJSON: sting }),
    7: null,
    8: Symbol('symbol'),
  }
  const numbers = Object.keys(thrown).map(Number)
  for (const fails of [
    (error: unknown) => {
      throw error
    },
    (error: unknown) => Promise.reject(error),
  ]) {
    const table = Object.fromEntries(numbers.map(number => [number, { handle: () => fails(thrown[number]) }]))
    const shard = await startEventShard(t, { table })
    const client = await shard.connect()
    client.write(...numbers.map(number => ask(number)), hello)
    for (const number of numbers)
      t.match(await client.response(), { command: number, status: eventStatus.handlerFailed })
    t.equal((await client.response()).status, eventStatus.ok)
    t.same(
      shard.runtime.lines.map(({ fields }) => (fields as { command: number }).command),
      numbers,
    )
    t.equal(typeof JSON.stringify(shard.runtime.lines), 'string', 'what is logged can be written')
  }
})

t.test('a handler chooses the status by the error that it throws, and no line is written', async t => {
  const statuses: readonly FailureStatus[] = [
    'invalidPacketLength',
    'memoryAlloc',
    'invalidHeader',
    'bodyTooLarge',
    'unknownCommand',
    'overloaded',
    'timeout',
    'decryptFailed',
    'handlerFailed',
  ]
  const fail = ({ body }: CommandRequest): never => {
    throw eventFailure(String(Buffer.from(body)) as FailureStatus)
  }
  const shard = await startEventShard(t, {
    table: { 2: { handle: fail }, 3: { handle: async request => fail(request) } },
  })
  const client = await shard.connect()
  for (const status of statuses) {
    for (const command of [2, 3]) {
      client.write(ask(command, 0, status))
      t.equal((await client.response()).status, eventStatus[status])
    }
  }
  t.same(shard.runtime.lines, [])
  for (const name of ['ok', 'cookieRequired', 'toString', '']) {
    t.throws(() => eventFailure(name as FailureStatus), { code: 'BAD_CONFIG', details: { value: name } })
  }
})

t.test('at its deadline a request is answered 7, its signal aborts, and its result is thrown away', async t => {
  const { command, runs } = held()
  const shard = await startEventShard(t, { protocol: { commandTimeoutMs: 1_000 }, table: { 2: command } })
  const client = await shard.connect()
  client.write(ask(2, 1), ask(2, 2))
  await until(() => runs.length === 2)
  const [late, inTime] = runs
  const { signal } = late!.context
  await shard.clock.advance(999)
  t.equal(signal.aborted, false)
  inTime!.resolve('in time')
  await shard.clock.advance(1)
  t.match(await client.response(), { sessionId: 1, status: eventStatus.timeout })
  t.match(await client.response(), { sessionId: 2, status: eventStatus.ok, body: Buffer.from('in time') })
  t.ok(isStarfishError(signal.reason, 'ASK_TIMEOUT'))
  t.match(signal.reason.details, { command: 2, timeoutMs: 1_000 })
  t.equal(inTime!.context.signal.aborted, false, 'the signal of one that is answered says nothing')
  late!.resolve('too late')
  client.write(hello)
  t.match(await client.response(), { sessionId: 99 }, 'nothing else was answered')
  t.match(shard.runtime.lines.splice(0), [
    { message: 'event command was not done in time', fields: { command: 2, timeoutMs: 1_000 } },
  ])
})

t.test('a signal that is first looked at after the deadline has aborted', async t => {
  const { command, runs } = held()
  const shard = await startEventShard(t, { protocol: { commandTimeoutMs: 1_000 }, table: { 2: command } })
  const client = await shard.connect()
  client.write(ask(2))
  await until(() => runs.length === 1)
  await shard.clock.advance(1_000)
  await client.response()
  t.equal(runs[0]!.context.signal.aborted, true)
  t.equal(isStarfishError(runs[0]!.context.signal.reason, 'ASK_TIMEOUT'), true)
})

t.test('the deadlines of all requests share one timer', async t => {
  const { command, runs } = held()
  const shard = await startEventShard(t, { table: { 2: command } })
  const client = await shard.connect()
  client.write(ask(2))
  await until(() => runs.length === 1)
  const { pending } = shard.clock
  client.write(...Array.from({ length: 200 }, (_, sessionId) => ask(2, sessionId)))
  await until(() => runs.length === 201)
  t.equal(shard.clock.pending, pending)
})

t.test('a connection that is gone aborts the signals of its requests, and of no others', async t => {
  const { command, runs } = held()
  const shard = await startEventShard(t, { table: { 2: command } })
  const [gone, stays] = [await shard.connect(), await shard.connect()]
  gone.write(ask(2, 1), ask(2, 2))
  await until(() => runs.length === 2)
  stays.write(ask(2, 3))
  await until(() => runs.length === 3)
  runs[0]!.resolve('answered')
  await gone.response()
  const signals = runs.map(({ context }) => context.signal)
  gone.socket.resetAndDestroy()
  await until(() => shard.connections.size === 1)
  t.same(
    signals.map(({ aborted }) => aborted),
    [false, true, false],
  )
  t.ok(isStarfishError(signals[1]!.reason, 'ASK_ABORTED'))
  runs[1]!.resolve('nobody hears that')
  runs[2]!.resolve('but this')
  t.equal(String((await stays.response()).body), 'but this')
  await shard.clock.advance(10_000)
  t.equal(isStarfishError(signals[1]!.reason, 'ASK_ABORTED'), true, 'its deadline was taken back')
})

t.test('the end of a drain aborts what is still running', async t => {
  const { command, runs } = held()
  const shard = await startEventShard(t, { table: { 2: command } })
  const client = await shard.connect()
  client.write(ask(2))
  await until(() => runs.length === 1)
  const { signal } = runs[0]!.context
  void shard.server.drain()
  await shard.states('draining.answering')
  t.equal(signal.aborted, false)
  shard.server.destroy()
  t.equal(signal.aborted, true)
  runs[0]!.reject(new Error('nobody hears that either'))
  await shard.clock.advance(1)
  t.same(shard.runtime.lines, [])
})

t.test('commands that cannot be are told when they are defined', t => {
  const handle = () => ''
  const faults: readonly [unknown, readonly string[]][] = [
    [{ 0: { handle } }, ['command 0 is echo: commands are 2 to 65535']],
    [{ 1: { handle } }, ['command 1 is ping: commands are 2 to 65535']],
    [
      { 65536: { handle }, '-1': { handle }, '2.5': { handle }, two: { handle }, '0x10': { handle } },
      ['65536', '-1', '2.5', 'two', '0x10'].map(key => `command ${key} is not a whole number from 2 to 65535`),
    ],
    [
      { 1: { handle }, 2: { run: 'thread', handle }, 3: { run: 'pool' }, 4: { runs: 'pool', handle }, 5: handle },
      [
        'command 1 is ping: commands are 2 to 65535',
        'command 2.run is "thread", not shard, pool',
        'command 3.handle is undefined, no function',
        'command 4.runs is not known: did you mean run?',
        "command 5 is () => '', not an object with options",
      ],
    ],
    [undefined, ['table is undefined, not commands by number']],
  ]
  for (const [table, told] of faults) {
    t.throws(() => defineCommands('file:///x.ts', 'x', table as CommandTable), {
      code: 'BAD_CONFIG',
      message: `defineCommands: ${told.join('; ')}`,
    })
  }
  const table = { 2: { handle }, 65535: { run: 'pool', handle } } as const
  t.same(defineCommands('file:///x.ts', 'x', table), {
    kind: 'commands',
    moduleUrl: 'file:///x.ts',
    exportName: 'x',
    table,
  })
  t.end()
})
