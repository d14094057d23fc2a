/** Tables of options, limits and codes say what the code says: no more, no less, and no other default. */
import t from 'tap'
import { connectionChart } from '../../src/actors/connection/chart.ts'
import { udpDefaults } from '../../src/actors/datagram/config.ts'
import { figureAt } from '../../src/actors/datagram/figures.ts'
import { refusalKinds } from '../../src/actors/serving/refusals.ts'
import { fillTaskPoolOptions, type TaskPoolOptions } from '../../src/actors/task-pool/config.ts'
import { createTaskPoolFigures, readTaskPoolFigures } from '../../src/actors/task-pool/figures.ts'
import { upForms, upHelp } from '../../src/cli/up-options.ts'
import { errorCodes, eventCommand, eventStatus, serverLimitDefaults } from '../../src/messages/index.ts'
import { createFaults } from '../../src/messages/option-faults.ts'
import type { ExitType } from '../../src/messages/thread/exit.ts'
import type { DeadLetter, FactKind } from '../../src/messages/thread/fact.ts'
import type { Command, CommandContext, CommandRequest } from '../../src/protocols/event/commands.ts'
import type { EventDialect } from '../../src/protocols/event/dialect.ts'
import { resolveEventOptions } from '../../src/protocols/event/event-options.ts'
import { memoryLogEngine } from '../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { logFigures } from '../../src/protocols/message-log/log-figures.ts'
import { consumerDefaults } from '../../src/services/clients/log/consumer/consumer-options.ts'
import { logClientDefaults } from '../../src/services/clients/log/log-client-options.ts'
import { producerDefaults } from '../../src/services/clients/log/producer/producer-options.ts'
import { poolDefaults } from '../../src/services/clients/pool-options.ts'
import { retryDefaults } from '../../src/services/clients/retry-policy.ts'
import { resolveEventServer } from '../../src/services/event-server-options.ts'
import { resolveLogServer } from '../../src/services/log-server-options.ts'
import {
  actorDefaults,
  type Budget,
  backoffDefaults,
  shardBudget,
  spawnBudget,
  supervisorDefaults,
} from '../../src/supervisor/child-spec.ts'
import { type Page, readPage, tableRows } from './pages.ts'

const protocol = readPage('docs/event-protocol.md')

/** The name that a cell begins with, as code. */
const nameIn = (cell = '') => /`([^`]+)`/.exec(cell)?.[1] ?? cell
const numberIn = (cell = '') => Number(cell.replaceAll(',', ''))

t.test('limits', async t => {
  const limits = tableRows(protocol, 'Limits').filter(({ length }) => length === 3)
  const rows = limits.map(([name, value]) => [nameIn(name), numberIn(value)])
  const { limits: filled } = resolveEventServer({ port: 0 })
  // Left out, that one depends on the process.
  t.same(Object.fromEntries(rows), { ...filled, connectionsMax: serverLimitDefaults.connectionsMax })
})

t.test('counters of refusals', async t => {
  const told = tableRows(protocol, 'Limits').flatMap(([name, , effect]) => (effect === undefined ? [nameIn(name)] : []))
  t.same(told, refusalKinds)
})

t.test('options and figures of UDP', async t => {
  const rows = tableRows(protocol, 'Options of UDP').map(([name, value]) => [nameIn(name), valueIn(value)])
  t.same(Object.fromEntries(rows), udpDefaults)
  const figures = tableRows(protocol, 'Figures of UDP').map(([name]) => nameIn(name))
  t.same(figures, Object.keys(figureAt))
})

const eventServer = readPage('docs/event-server.md')

t.test('options of requests, of the pool, and its figures', async t => {
  const options = tableRows(eventServer, 'Options').flatMap(([name, value]) =>
    value === '' ? [] : [[nameIn(name), valueIn(value)]],
  )
  const { raidaId: _, ...requests } = resolveEventOptions({})
  t.same(Object.fromEntries(options), requests)

  const rows = tableRows(eventServer, 'The task pool')
  const pool = Object.fromEntries(
    rows.flatMap(([name, value, what]) => (what === undefined ? [] : [[nameIn(name), value]])),
  )
  const names: Record<keyof TaskPoolOptions, true> = {
    threads: true,
    queueMax: true,
    niceIncrement: true,
    heapMb: true,
  }
  t.same(Object.keys(pool), Object.keys(names))
  const onLinux = (processors: number) => fillTaskPoolOptions({}, { platform: 'linux', processors }, createFaults())
  t.equal(pool['threads'], 'one less than processors, 1 at least')
  t.same(
    [1, 2, 8].map(processors => onLinux(processors).threads),
    [1, 1, 7],
  )
  t.match(onLinux(1), { queueMax: numberIn(pool['queueMax']), niceIncrement: numberIn(pool['niceIncrement']) })
  const told = rows.flatMap(([name, , what]) => (what === undefined ? [nameIn(name)] : []))
  t.same(told, Object.keys(readTaskPoolFigures(createTaskPoolFigures())))
})

t.test('what a command is, gets and reaches, and what a dialect has', async t => {
  // The compiler sees to it that none is left out.
  const places: Record<NonNullable<Command['run']>, true> = { shard: true, pool: true }
  const request: Record<keyof CommandRequest, true> = {
    command: true,
    sessionId: true,
    raidaId: true,
    peerAddress: true,
    transport: true,
    body: true,
  }
  const context: Record<keyof CommandContext, true> = { send: true, ask: true, ref: true, log: true, signal: true }
  t.same(namesIn(eventServer, 'A command'), [places, request, context].flatMap(Object.keys))
  const dialect: Record<keyof EventDialect, true> = {
    headerBytes: true,
    replyHeaderBytes: true,
    validateHeader: true,
    raidaId: true,
    bodyBytes: true,
    command: true,
    sessionId: true,
    hasCookie: true,
    validateDecryptBody: true,
    seal: true,
    errorBody: true,
    writeReplyHeader: true,
  }
  const told = namesIn(eventServer, 'A protocol of your own').map(name => name.replace(/\(.*/, ''))
  t.same(told, Object.keys(dialect))
})

t.test('states of a connection', async t => {
  const told = namesIn(protocol, 'Connections as actors')
  // `opening` is left in the step that enters it.
  t.same(
    told.toSorted(),
    connectionChart()
      .configurations.filter(state => state !== 'opening')
      .toSorted(),
  )
})

t.test('options of the event client', async t => {
  const page = readPage('docs/event-client.md')
  const told = (heading: string) => tableRows(page, heading).map(([name, value]) => [nameIn(name), numberIn(value)])
  t.same(Object.fromEntries(told('The pool')), poolDefaults)
  t.same(Object.fromEntries(told('Retries')), retryDefaults)
})

t.test('options of the log client, its producers and consumers', async t => {
  const page = readPage('docs/log-client.md')
  const told = (heading: string) =>
    Object.fromEntries(
      tableRows(page, heading).flatMap(([name, value]) => (value === '' ? [] : [[nameIn(name), valueIn(value)]])),
    )
  t.same(told('A producer'), producerDefaults)
  const { from, outOfRange, ...numbers } = told('A consumer')
  t.same({ from, outOfRange }, { from: 'start', outOfRange: 'fail' })
  t.match(numbers, consumerDefaults)
  t.same(told('Options'), logClientDefaults)
})

t.test('statuses and commands', async t => {
  const statuses = tableRows(protocol, 'Statuses').map(([status, name]) => [nameIn(name), numberIn(status)])
  t.same(Object.fromEntries(statuses), eventStatus)
  const commands = tableRows(protocol, 'Commands').map(([command, name]) => [nameIn(name), numberIn(command)])
  t.same(Object.fromEntries(commands), eventCommand)
})

t.test('options of the command', async t => {
  const told = tableRows(protocol, 'The command').map(([option, value]) => [
    option?.match(/--[\w-]+/)?.[0],
    nameIn(value),
  ])
  t.same(
    told.map(([option]) => option).sort(),
    Object.keys(upForms)
      .map(name => `--${name}`)
      .sort(),
  )
  for (const [, option, value] of upHelp.matchAll(/(--[\w-]+) <\w+>.*\(default ([\w.]+)[:)]/g)) {
    t.equal(told.find(([name]) => name === option)?.[1], value, `${option}`)
  }
})

const logServer = readPage('docs/log-server.md')

t.test('figures of the log server', async t => {
  const figures = tableRows(logServer, 'Figures').map(([name]) => nameIn(name))
  t.same(figures, Object.keys(logFigures.at))
})

t.test('options of the log server, and what it keeps', async t => {
  const engine = memoryLogEngine.with(undefined)
  const { id, log, openTimeoutMs, retention, retentionIntervalMs: intervalMs } = resolveLogServer({ port: 0, engine })
  const told = (heading: string) =>
    Object.fromEntries(
      tableRows(logServer, heading).flatMap(([name, value]) => (value === '' ? [] : [[nameIn(name), valueIn(value)]])),
    )
  t.same(told('Options'), { id, ...log, openTimeoutMs })
  t.same(told('Retention'), { ...retention, intervalMs })
})

const supervision = readPage('docs/supervision.md')

/** Defaults as a table tells them; an option without one is left out. */
function defaultsIn(...headings: readonly string[]): Record<string, unknown> {
  const rows = headings.flatMap(heading => tableRows(supervision, heading))
  return Object.fromEntries(rows.flatMap(([option, value]) => (value === '' ? [] : [[nameIn(option), valueIn(value)]])))
}

function valueIn(cell = ''): unknown {
  const text = nameIn(cell)
  if (text === 'true' || text === 'false') return text === 'true'
  return Number.isNaN(numberIn(text)) ? text : numberIn(text)
}

t.test('options of children and supervisors', async t => {
  const { shutdown, ...every } = defaultsIn('Options of every child')
  t.same(shutdown, supervisorDefaults.shutdown)
  const [, ofBoth] = tableRows(supervision, 'Options of every child').find(([name]) => nameIn(name) === 'shutdown')!
  t.equal(ofBoth, `${actorDefaults.shutdown.toLocaleString('en')} for an actor, \`infinity\` for a supervisor`)
  t.same({ ...every, ...defaultsIn('Options of an actor'), shutdown: actorDefaults.shutdown }, actorDefaults)
  t.same({ ...every, ...defaultsIn('Options of a supervisor'), shutdown }, supervisorDefaults)
  t.same(defaultsIn('Backoff'), backoffDefaults)
  const options = ['Options of every child', 'Options of a supervisor'].flatMap(heading =>
    tableRows(supervision, heading),
  )
  t.same(
    options.map(([option]) => nameIn(option)).sort(),
    [...Object.keys(supervisorDefaults), 'id', 'backoff', 'children'].sort(),
  )
})

t.test('budgets', async t => {
  const told = tableRows(supervision, 'Budgets').map(([, budget]) => budget)
  const inWords = ({ intensity, periodMs }: Budget) => `${intensity} in ${periodMs / 1_000} s`
  t.same(told.slice(1), [spawnBudget, spawnBudget, shardBudget].map(inWords))
})

t.test('errors', async t => {
  const told = tableRows(supervision, 'Errors').map(([code, retryable, meaning]) => [
    nameIn(code),
    { retryable: retryable === 'yes', meaning },
  ])
  t.same(Object.fromEntries(told), errorCodes)
})

/** The names in the first cells under a heading. */
const namesIn = (page: Page, heading: string) => tableRows(page, heading).map(([name]) => nameIn(name))

t.test('causes and cures of each error', async t => {
  const page = readPage('docs/troubleshooting.md')
  t.same(namesIn(page, 'By code').toSorted(), Object.keys(errorCodes).toSorted())
  for (const [code, ...cells] of tableRows(page, 'By code')) t.match(cells, [/./, /./], `${code}`)
})

t.test('kinds of facts, ends of actors, fates of messages', async t => {
  // The compiler sees to it that none is left out.
  const kinds: Record<FactKind, true> = {
    spawned: true,
    event: true,
    transition: true,
    action: true,
    exit: true,
    restart: true,
    deadLetter: true,
    link: true,
    shard: true,
    dropped: true,
  }
  t.same(namesIn(supervision, 'Facts'), Object.keys(kinds))
  const ends: Record<ExitType, true> = {
    normal: true,
    shutdown: true,
    threw: true,
    unhandledRejection: true,
    exited: true,
    outOfMemory: true,
    stalled: true,
    killed: true,
    bootstrapFailed: true,
    initTimedOut: true,
    noproc: true,
  }
  t.same(namesIn(readPage('docs/actors.md'), 'How an actor ends'), Object.keys(ends))
  const fates: Record<DeadLetter['fate'], true> = {
    refused: true,
    lost: true,
    unprocessed: true,
    inHand: true,
    expired: true,
  }
  t.same(namesIn(readPage('docs/semantics.md'), 'Delivery and loss'), Object.keys(fates))
})
