/** The checklists of docs/systems name exports, defaults and tests that are there. */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { resolveAcceptorInput } from '../../src/actors/acceptor/config.ts'
import { createServerCounters } from '../../src/actors/acceptor/counters.ts'
import { udpDefaults } from '../../src/actors/datagram/config.ts'
import { protocolReference } from '../../src/actors/serving/protocol.ts'
import { fillTaskPoolOptions } from '../../src/actors/task-pool/config.ts'
import { serverLimitDefaults } from '../../src/messages/index.ts'
import { createFaults } from '../../src/messages/option-faults.ts'
import { resolveEventOptions } from '../../src/protocols/event/event-options.ts'
import { eventProtocol } from '../../src/protocols/event/event-protocol.ts'
import { memoryLogEngine } from '../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { consumerDefaults } from '../../src/services/clients/log/consumer/consumer-options.ts'
import { logClientDefaults, logPoolDefaults } from '../../src/services/clients/log/log-client-options.ts'
import { producerDefaults } from '../../src/services/clients/log/producer/producer-options.ts'
import { retryDefaults } from '../../src/services/clients/retry-policy.ts'
import { resolveEventServer } from '../../src/services/event-server-options.ts'
import { resolveLogServer } from '../../src/services/log-server-options.ts'
import { readPage, tableRows } from './pages.ts'

/** The names that a module of the package exports, types too. */
function exportsOf(path: string): string[] {
  const source = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  return [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list]) =>
    list!.split(',').map(name => name.replace(/^\s*type\s/, '').trim()),
  )
}

function within(name: string, options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [`${name}.${key}`, value]))
}

/** The options of an event server that was told nothing else, on two shards of a Linux machine. */
function eventServerDefaults(): Record<string, unknown> {
  const handoff = { threadId: 0, listener: 'events' }
  const surroundings = { shards: 2, platform: 'linux', handoff, counters: createServerCounters(1, 1) } as const
  return {
    ...resolveAcceptorInput({ port: 0, protocol: protocolReference(eventProtocol, {}) }, surroundings),
    ...resolveEventOptions({}),
    // Left out, one of them depends on the process.
    ...within('limits', {
      ...resolveEventServer({ port: 0 }).limits,
      connectionsMax: serverLimitDefaults.connectionsMax,
    }),
    ...within('udp', udpDefaults),
    ...within('pool', fillTaskPoolOptions({}, { platform: 'linux', processors: 2 }, createFaults())),
  }
}

/** The options of a log server that was told nothing else. */
function logServerDefaults(): Record<string, unknown> {
  const engine = memoryLogEngine.with(undefined)
  const { log, limits, retention, retentionIntervalMs } = resolveLogServer({ port: 0, engine })
  const { connectionsMax } = serverLimitDefaults
  return {
    ...log,
    // Where the process may have so many descriptors.
    ...within('limits', { ...limits, connectionsMax }),
    ...within('retention', { ...retention, intervalMs: retentionIntervalMs }),
  }
}

/** Options of the log client, its producers and consumers, by the line of the checklist. */
const logClientLines: Readonly<Record<string, Record<string, unknown>>> = {
  client: { ...logClientDefaults, ...within('pool', logPoolDefaults), ...within('retry', retryDefaults) },
  producer: { ...producerDefaults },
  consumer: { ...consumerDefaults, from: 'start', outOfRange: 'fail' },
}

/** Such as `backlog` 4,096 and `accept` `reusePort`. */
const optionAndDefault = /`([\w.]+)` (`\w+`|\d[\d,.]*)/g

function optionsIn(cell: string): [option: string, value: string][] {
  return [...cell.matchAll(optionAndDefault)].map(([, option, value]) => [option!, value!.replaceAll(/[`,]/g, '')])
}

const codeIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

const checklists = [
  {
    path: 'docs/systems/raida.md',
    title: 'RAIDA: the event-driven network layer of a coin authority',
    lines: [
      ...['listeners', 'connection', 'keep-alive', 'body', 'worker pool', 'write', 'UDP', 'hooks', 'errors'],
      ...['failures survived', 'attacks'],
    ],
    defaults: eventServerDefaults(),
    ownDefaults: {},
  },
  {
    path: 'docs/systems/streambus.md',
    title: 'StreamBus: client and server of a message log',
    lines: ['protocol', 'server', 'client', 'producer', 'consumer', 'resources', 'tests'],
    defaults: logServerDefaults(),
    ownDefaults: logClientLines,
  },
]

for (const { path, title, lines, defaults, ownDefaults } of checklists) {
  const page = readPage(path)
  const rows = tableRows(page, title)

  t.test(`${path}: every line has its rows`, async t => {
    t.same([...new Set(rows.map(([line]) => line))], lines)
  })

  t.test(`${path}: exports are exported`, async t => {
    const exported = new Set([...exportsOf('src/index.ts'), ...exportsOf('src/messages/index.ts')])
    for (const [, what = '', names] of rows) {
      const used = codeIn(names)
      t.ok(used.length > 0, what)
      t.same(
        used.filter(name => !exported.has(name)),
        [],
        what,
      )
    }
  })

  t.test(`${path}: defaults are the defaults`, async t => {
    for (const [line = '', , , options = ''] of rows) {
      for (const [option, value] of optionsIn(options)) {
        t.equal(String((ownDefaults[line] ?? defaults)[option]), value, option)
      }
      t.equal(options.replaceAll(optionAndDefault, '').replaceAll('; ', ''), '', `no more than that in "${options}"`)
    }
  })

  t.test(`${path}: options of lines that have their own are all told`, async t => {
    for (const [line, own] of Object.entries(ownDefaults)) {
      const told = rows.filter(([name]) => name === line).flatMap(([, , , options = '']) => optionsIn(options))
      t.same(told.map(([option]) => option).sort(), Object.keys(own).sort(), line)
    }
  })

  t.test(`${path}: tests are there`, async t => {
    for (const [, what = '', , , tests = ''] of rows) {
      const named = [...tests.matchAll(/\[([^\]]+)\]\(([^)]+)\) “([^”]+)”/g)]
      t.ok(named.length > 0, what)
      for (const [, name, path, title] of named) {
        const url = new URL(path!, page.url)
        t.ok(existsSync(url) && path!.endsWith(`/${name}.test.ts`), `${path} is there`)
        t.ok(existsSync(url) && readFileSync(url, 'utf8').includes(title!), `${name}: ${title}`)
      }
    }
  })
}
