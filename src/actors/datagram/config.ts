/** Options of a server over UDP: checked and filled once, then plain data that travels to the shards. */
import type { ServerLimits } from '../../messages/limits.ts'
import type { Faults } from '../../messages/option-faults.ts'
import type { ProtocolReference } from '../serving/protocol.ts'

/** What a user may say about a server over UDP. The limits are those of each shard. */
export interface UdpOptions {
  /** False: the server speaks TCP only. Default true, but false for a server with `tls`: datagrams are not encrypted. */
  readonly enabled?: boolean
  /**
   * What a datagram gets that is no whole request (short, oversized, not as long as it says, for another server or version):
   * its `status`, as far as that is allowed by its size, or `silence`. Default `status`.
   */
  readonly malformed?: 'status' | 'silence'
  /** The largest datagram that is taken, or sent, with its header; 64 to 65,507. Default 1,232: it fits the least IPv6 packet. */
  readonly payloadBytesMax?: number
  /** Requests that wait for their command. While there are as many, what comes is answered `overloaded`. Default 1,024. */
  readonly inFlightRequestsMax?: number
  /** Bytes of those requests. Default 4 MiB. */
  readonly inFlightBytesMax?: number
  /** Answers that wait for the system to send them; one more is thrown away. Default 4,096. */
  readonly unsentMax?: number
  /** What the system holds for a socket in each direction, as far as it lets itself be told, bytes. Default 4 MiB. */
  readonly bufferBytes?: number
}

/** Filled options. */
export type FilledUdpOptions = Required<UdpOptions>

/** The options of a server that was told nothing else. */
export const udpDefaults: FilledUdpOptions = {
  enabled: true,
  malformed: 'status',
  payloadBytesMax: 1_232,
  inFlightRequestsMax: 1_024,
  inFlightBytesMax: 4_194_304,
  unsentMax: 4_096,
  bufferBytes: 4_194_304,
}

/** What a datagram actor is started with. Clonable. */
export interface DatagramInput extends Omit<FilledUdpOptions, 'enabled'> {
  readonly host: string
  readonly port: number
  /** Other shards have sockets at the same address. */
  readonly reusePort: boolean
  /** How long binding may take, attempts that fail included, ms. */
  readonly bindTimeoutMs: number
  /** The first wait between two attempts to bind, ms. */
  readonly rebindDelayMs: number
  /** Those of the server that are not about connections hold here too: `drainTimeoutMs`. */
  readonly limits: ServerLimits
  readonly protocol: ProtocolReference
  /** What cookies are made of: the same on all shards. */
  readonly secret: Uint8Array
  /** Of `createDatagramFigures`, with a slot for each shard. */
  readonly figures: SharedArrayBuffer
}

const largest = 1_073_741_823

/** Fills options with `defaults`, and adds a fault for each that cannot be used (`udp.malformed`). */
export function fillUdpOptions(options: UdpOptions = {}, defaults: FilledUdpOptions, faults: Faults): FilledUdpOptions {
  if (!faults.options('udp', options, Object.keys(udpDefaults))) return defaults
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const filled: FilledUdpOptions = { ...defaults, ...given }
  const within = faults.within('udp')
  within.boolean('enabled', filled.enabled)
  within.oneOf('malformed', filled.malformed, ['status', 'silence'])
  within.whole('payloadBytesMax', filled.payloadBytesMax, 64, 65_507)
  for (const name of ['inFlightRequestsMax', 'inFlightBytesMax', 'unsentMax', 'bufferBytes'] as const) {
    within.whole(name, filled[name], 1, largest)
  }
  return filled
}

/** Where several sockets may have one address and the system spreads what comes over them. */
const reusePortPlatforms: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd', 'sunos', 'aix'])

/** The shards that get a socket: all where they can share the port, else the first; -1 is the main thread. */
export function datagramShards(shards: number, platform: NodeJS.Platform): readonly number[] {
  if (shards === 0) return [-1]
  return Array.from({ length: reusePortPlatforms.has(platform) ? shards : 1 }, (_, shard) => shard)
}
