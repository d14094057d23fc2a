/** Options are checked once, the culprit is named, and nothing is left open afterwards. */
import t from 'tap'
import { type AcceptorOptions, defaultLimits, resolveAcceptorInput } from '../../../src/actors/acceptor/config.ts'
import { createServerCounters } from '../../../src/actors/acceptor/counters.ts'
import { protocolReference } from '../../../src/actors/serving/protocol.ts'
import { serverLimitDefaults } from '../../../src/messages/limits.ts'
import { eventProtocol } from '../../../src/protocols/event/event-protocol.ts'

const protocol = protocolReference(eventProtocol, {})
const surroundings = {
  shards: 2,
  platform: 'linux' as NodeJS.Platform,
  handoff: { threadId: 0, listener: 'events' },
  counters: createServerCounters(1, 1),
}
const resolve = (options: Partial<AcceptorOptions>, around = {}) =>
  resolveAcceptorInput({ port: 7400, protocol, ...options }, { ...surroundings, ...around })

t.test('defaults are filled and survive a clone', async t => {
  const input = structuredClone(resolve({ limits: { idleTimeoutMs: 5, bodyBytesMax: undefined as never } }))
  t.match(input, { host: '127.0.0.1', port: 7400, accept: 'reusePort', backlog: 4_096 })
  t.same(input.limits, { ...defaultLimits(), idleTimeoutMs: 5 })
})

t.test('connections leave 512 descriptors to the rest of the process, unless they are told otherwise', async t => {
  t.same(
    [Number.POSITIVE_INFINITY, 66_047, 66_046, 1_024].map(each => defaultLimits(each).connectionsMax),
    [65_535, 65_535, 65_534, 512],
  )
  t.equal(resolve({ limits: { connectionsMax: 70_000 } }).limits.connectionsMax, 70_000)
  t.same(defaultLimits(100_000), serverLimitDefaults)
})

t.test('auto is reusePort for several shards on Linux, else handoff', async t => {
  t.equal(resolve({ accept: 'auto' }, { shards: 1 }).accept, 'handoff')
  t.equal(resolve({ accept: 'auto' }, { platform: 'darwin' }).accept, 'handoff')
  t.equal(resolve({ accept: 'reusePort' }, { shards: 1 }).accept, 'reusePort')
  t.equal(resolve({ accept: 'handoff' }).accept, 'handoff')
})

t.test('what cannot be used is named', async t => {
  const cases: [string, Partial<AcceptorOptions>][] = [
    ['port', { port: 65_536 }],
    ['port', { port: -1 }],
    ['port', { port: '7400' as never }],
    ['host', { host: '' }],
    ['host', { host: 'a b' }],
    ['accept', { accept: 'always' as never }],
    ['backlog', { backlog: 0 }],
    ['limits.idleTimeoutMs', { limits: { idleTimeoutMs: 0 } }],
    ['limits.headerTimeoutMs', { limits: { headerTimeoutMs: 2 ** 31 } }],
    ['limits.drainTimeoutMs', { limits: { drainTimeoutMs: 2 ** 31 - 1_000 } }],
    ['limits.idleTimeout', { limits: { idleTimeout: 1 } as never }],
    ['tls', { tls: { cert: 'no', key: 'no' } }],
  ]
  for (const [option, options] of cases) t.throws(() => resolve(options), { code: 'BAD_CONFIG', details: { option } })
  for (const host of ['::1', '0.0.0.0', 'localhost', 'a.example']) t.equal(resolve({ host }).host, host)
  t.equal(resolve({ limits: { bodyBytesMax: 0 } }).limits.bodyBytesMax, 0)
  t.throws(() => resolve({ port: -1, limits: { idleTimeout: 1, lingerMs: 0 }, tls: { cert: 'no' } } as never), {
    message: /limits\.idleTimeout is not known: did you mean idleTimeoutMs\?/,
    details: { reasons: ['port', 'tls', 'limits.idleTimeout', 'limits.lingerMs'].map(path => ({ path })) },
  })
})
