/** Options of a listener and its acceptors: checked and filled once, then plain data that travels to the shards. */
import { StarfishError } from '../../messages/errors.ts'
import { isHost } from '../../messages/host.ts'
import { type ServerLimits, serverLimitDefaults } from '../../messages/limits.ts'
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

/** Checks and fills options. `BAD_CONFIG` names the option, its value and what it may be. */
export function resolveAcceptorInput(options: AcceptorOptions, surroundings: AcceptorSurroundings): AcceptorInput {
  const host = options.host ?? '127.0.0.1'
  if (typeof host !== 'string' || !isHost(host)) throw bad('host', host, 'an IP address or a host name')
  if (options.tls !== undefined) checkTls(options.tls)
  return {
    host,
    port: integer('port', options.port, 0, 65_535),
    accept: resolveAccept(options.accept ?? 'auto', surroundings),
    backlog: integer('backlog', options.backlog ?? 4_096, 1, 65_535),
    keepAliveIdleMs: integer('keepAliveIdleMs', options.keepAliveIdleMs ?? 60_000, 1_000, keepAliveMsMax),
    keepAliveIntervalMs: integer('keepAliveIntervalMs', options.keepAliveIntervalMs ?? 10_000, 1_000, keepAliveMsMax),
    keepAliveProbes: integer('keepAliveProbes', options.keepAliveProbes ?? 5, 1, 127),
    bindTimeoutMs: integer('bindTimeoutMs', options.bindTimeoutMs ?? 5_000, 1, maxDelayMs),
    rebindDelayMs: integer('rebindDelayMs', options.rebindDelayMs ?? 100, 1, maxDelayMs),
    limits: resolveLimits(options.limits ?? {}),
    tls: options.tls,
    protocol: options.protocol,
    handoff: surroundings.handoff,
    counters: surroundings.counters,
  }
}

/**
 * Fills limits that were left out with the defaults, for a process that may have `descriptors`; `BAD_CONFIG` for unknown
 * names and values out of range.
 */
export function resolveLimits(limits: Partial<ServerLimits>, descriptors: number = descriptorLimit()): ServerLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in serverLimitDefaults)) throw bad(`limits.${name}`, value, 'left out: there is no such limit')
    if (value !== undefined) integer(`limits.${name}`, value, leastOf(name), maxOf(name))
  }
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
  const connectionsMax = Math.min(serverLimitDefaults.connectionsMax, connectionsFor(descriptors))
  return { ...serverLimitDefaults, connectionsMax, ...given }
}

/** The largest delay a timer can wait. */
const maxDelayMs = 2_147_483_647

/** The longest time that Linux takes for keep-alive; of probes it takes 127. */
const keepAliveMsMax = 32_767_000

function leastOf(name: string): number {
  return name === 'refusalsMax' || name === 'bodyBytesMax' || name === 'bodyBytesPerSecondMin' ? 0 : 1
}

function maxOf(name: string): number {
  return name === 'connectionsMax' || name === 'connectionsPerAddressMax' ? 1_000_000 : maxDelayMs
}

function resolveAccept(accept: AcceptMode, { shards, platform }: AcceptorSurroundings): AcceptorInput['accept'] {
  if (accept === 'auto') return shards > 1 && platform === 'linux' ? 'reusePort' : 'handoff'
  if (accept !== 'reusePort' && accept !== 'handoff') throw bad('accept', accept, "'auto', 'reusePort' or 'handoff'")
  return accept
}

function integer(option: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw bad(option, value, `an integer from ${least} to ${most}`)
}

function bad(option: string, value: unknown, wanted: string): StarfishError {
  return new StarfishError(
    'BAD_CONFIG',
    `${option} must be ${wanted}, not ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
    {
      details: { option, value: String(value) },
    },
  )
}
