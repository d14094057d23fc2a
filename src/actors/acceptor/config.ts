/** Options of a listener and its acceptors: checked and filled once, then plain data that travels to the shards. */
import { isHost } from '../../messages/host.ts'
import { type ServerLimits, serverLimitDefaults } from '../../messages/limits.ts'
import { createFaults, type Faults, show } from '../../messages/option-faults.ts'
import type { ProtocolReference } from '../serving/protocol.ts'
import { connectionsFor, descriptorLimit } from './descriptors.ts'
import { type AcceptorTls, checkTls } from './tls.ts'

/** How shards come by their connections. */
export type AcceptMode = 'auto' | 'reusePort' | 'handoff'

/** What a user may say about a listener. */
export interface AcceptorOptions {
  /** IP address or name to listen at. Default 127.0.0.1: a server is not open to the network unless told. */
  readonly host?: string
  /** 0 to 65,535; 0 takes a free one. */
  readonly port: number
  /**
   * `reusePort`: every shard listens and the kernel spreads the connects; cheapest, but only Linux balances it, and a shard
   * that stops resets the connects in its queue unless `net.ipv4.tcp_migrate_req` is 1. `handoff`: the main thread
   * accepts and hands sockets to the shards; no connect is lost when a shard is rolled, about a tenth fewer connects a
   * second. `auto` (default): `reusePort` for several shards on Linux, else `handoff`.
   */
  readonly accept?: AcceptMode
  /** Connects the kernel queues for a listening socket, as far as the system lets it. Default 4,096. */
  readonly backlog?: number
  /** Silence before TCP asks whether the peer is alive; whole seconds count. Default 60,000. */
  readonly keepAliveIdleMs?: number
  /** Time between two of these probes, where Node.js lets it be set; whole seconds count. Default 10,000. */
  readonly keepAliveIntervalMs?: number
  /** Probes without an answer after which the connection is dead, where Node.js lets it be set. Default 5. */
  readonly keepAliveProbes?: number
  /** How long binding may take. Default 5,000. */
  readonly bindTimeoutMs?: number
  /** Handoff: pause between attempts to find a listener that went away. Default 100. */
  readonly rebindDelayMs?: number
  readonly limits?: Partial<ServerLimits>
  readonly tls?: AcceptorTls
  readonly protocol: ProtocolReference
}

/** The thread that accepts for others, and the name of the listener there. */
export interface HandoffAddress {
  readonly threadId: number
  readonly listener: string
}

/** Filled options: what acceptors and the listener are started with. Clonable. */
export interface AcceptorInput {
  readonly host: string
  readonly port: number
  readonly accept: Exclude<AcceptMode, 'auto'>
  readonly backlog: number
  readonly keepAliveIdleMs: number
  readonly keepAliveIntervalMs: number
  readonly keepAliveProbes: number
  readonly bindTimeoutMs: number
  readonly rebindDelayMs: number
  readonly limits: ServerLimits
  readonly tls: AcceptorTls | undefined
  readonly protocol: ProtocolReference
  readonly handoff: HandoffAddress
  /** Of `createServerCounters`, with a slot for each shard. */
  readonly counters: SharedArrayBuffer
}

/** What the server knows and its user does not say. */
export interface AcceptorSurroundings {
  /** Shards that will serve. */
  readonly shards: number
  readonly platform: NodeJS.Platform
  readonly handoff: HandoffAddress
  readonly counters: SharedArrayBuffer
}

/** The options, by name. */
export const acceptorOptionNames = [
  'host',
  'port',
  'accept',
  'backlog',
  'keepAliveIdleMs',
  'keepAliveIntervalMs',
  'keepAliveProbes',
  'bindTimeoutMs',
  'rebindDelayMs',
  'limits',
  'tls',
  'protocol',
] as const satisfies readonly (keyof AcceptorOptions)[]

/** Checks and fills options. `BAD_CONFIG` names all that cannot be used. */
export function resolveAcceptorInput(options: AcceptorOptions, surroundings: AcceptorSurroundings): AcceptorInput {
  const faults = createFaults()
  faults.options('', options, acceptorOptionNames)
  const filled = fillAcceptorOptions(options, faults)
  const limits = fillLimits(options.limits, faults)
  faults.throwIfAny('BAD_CONFIG', 'a server')
  const { protocol, tls } = options
  const { handoff, counters } = surroundings
  return { ...filled, accept: resolveAccept(filled.accept, surroundings), limits, tls, protocol, handoff, counters }
}

/** Fills what a listener itself is told, limits and protocol apart, and adds a fault for each option that cannot be used. */
export function fillAcceptorOptions(options: Omit<AcceptorOptions, 'limits' | 'protocol'>, faults: Faults) {
  const { host = '127.0.0.1', port, accept = 'auto', backlog = 4_096, tls } = options
  const { keepAliveIdleMs = 60_000, keepAliveIntervalMs = 10_000, keepAliveProbes = 5 } = options
  const { bindTimeoutMs = 5_000, rebindDelayMs = 100 } = options
  if (typeof host !== 'string' || !isHost(host))
    faults.add('host', `is ${show(host)}, not an IP address or a host name`)
  faults.whole('port', port, 0, 65_535)
  faults.oneOf('accept', accept, ['auto', 'reusePort', 'handoff'])
  faults.whole('backlog', backlog, 1, 65_535)
  faults.whole('keepAliveIdleMs', keepAliveIdleMs, 1_000, keepAliveMsMax)
  faults.whole('keepAliveIntervalMs', keepAliveIntervalMs, 1_000, keepAliveMsMax)
  faults.whole('keepAliveProbes', keepAliveProbes, 1, 127)
  faults.whole('bindTimeoutMs', bindTimeoutMs, 1, maxDelayMs)
  faults.whole('rebindDelayMs', rebindDelayMs, 1, maxDelayMs)
  if (tls !== undefined) checkTls(tls, faults)
  const keepAlive = { keepAliveIdleMs, keepAliveIntervalMs, keepAliveProbes }
  return { host, port, accept, backlog, ...keepAlive, bindTimeoutMs, rebindDelayMs }
}

/** The limits of a server that was told nothing else, in a process that may have `descriptors`. */
export function defaultLimits(descriptors: number = descriptorLimit()): ServerLimits {
  const { connectionsMax } = serverLimitDefaults
  return { ...serverLimitDefaults, connectionsMax: Math.min(connectionsMax, connectionsFor(descriptors)) }
}

/** Fills limits that were left out with `defaults`, and adds a fault for each unknown name and value out of range. */
export function fillLimits(
  limits: Partial<ServerLimits> | undefined,
  faults: Faults,
  defaults: ServerLimits = defaultLimits(),
): ServerLimits {
  if (limits === undefined || !faults.options('limits', limits, Object.keys(defaults))) return defaults
  const given = Object.entries(limits).filter(([name, value]) => value !== undefined && name in defaults)
  for (const [name, value] of given) faults.within('limits').whole(name, value, leastOf(name), maxOf(name))
  return { ...defaults, ...Object.fromEntries(given) }
}

/** The largest delay a timer can wait. */
const maxDelayMs = 2_147_483_647

/** How much longer than its drain a server has for its end, ms. */
export const shutdownMarginMs = 1_000

/** The longest time that Linux takes for keep-alive; of probes it takes 127. */
const keepAliveMsMax = 32_767_000

function leastOf(name: string): number {
  return name === 'refusalsMax' || name === 'bodyBytesMax' || name === 'bodyBytesPerSecondMin' ? 0 : 1
}

function maxOf(name: string): number {
  if (name === 'drainTimeoutMs') return maxDelayMs - shutdownMarginMs
  return name === 'connectionsMax' || name === 'connectionsPerAddressMax' ? 1_000_000 : maxDelayMs
}

function resolveAccept(accept: AcceptMode, { shards, platform }: AcceptorSurroundings): AcceptorInput['accept'] {
  if (accept !== 'auto') return accept
  return shards > 1 && platform === 'linux' ? 'reusePort' : 'handoff'
}
