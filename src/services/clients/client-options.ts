/** How clients check what they are told: numbers within ranges, and the servers they are to use. `BAD_CONFIG` names the option. */
import { StarfishError } from '../../messages/errors.ts'
import type { ServerAddress } from './link.ts'

/** What a number may be; a whole one unless it says otherwise. */
export interface NumberRange {
  readonly least: number
  readonly most: number
  readonly isFraction?: true
}

/** The longest time a timer takes, ms: 24 days. */
export const timerMsMax = 2_147_483_647

/** A time in ms that something may wait. */
export const waitRange: NumberRange = { least: 1, most: timerMsMax }

/** A number of things, or of bytes, of which there may be some. */
export const countRange: NumberRange = { least: 1, most: Number.MAX_SAFE_INTEGER }

/** The number itself if it is within its range. */
export function checkNumber(option: string, value: unknown, { least, most, isFraction }: NumberRange): number {
  const isNumber = isFraction ? typeof value === 'number' : Number.isInteger(value)
  if (isNumber && (value as number) >= least && (value as number) <= most) return value as number
  throw badOption(option, value, `${isFraction ? 'a number' : 'a whole number'} from ${least} to ${most}`)
}

/** Fills a group of numbers with its defaults; refuses names that the group does not have. */
export function fillNumbers<T extends { readonly [K in keyof T]: number }>(
  group: string,
  given: Partial<T> | undefined,
  defaults: T,
  ranges: Readonly<Record<keyof T, NumberRange>>,
): T {
  const filled = { ...defaults }
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!Object.hasOwn(defaults, name)) throw badOption(`${group}.${name}`, value, 'left out: there is no such option')
    const key = name as keyof T
    if (value !== undefined) filled[key] = checkNumber(`${group}.${name}`, value, ranges[key]) as T[keyof T]
  }
  return filled
}

/** A server as users write it: `host:port`, `[address]:port`, or both apart; the host is 127.0.0.1 unless it is said. */
export type ServerOption = string | { readonly host?: string; readonly port: number }

/** Which servers a client uses: several, or one. */
export type ServersOption =
  | { readonly servers: readonly ServerOption[] }
  | { readonly host?: string; readonly port: number }

/** Reads the servers of a client. */
export function readServers(options: Partial<ServersOption>): readonly ServerAddress[] {
  if (!('servers' in options)) return [readServer('', options as ServerOption)]
  const { servers } = options
  if (!Array.isArray(servers) || servers.length === 0) {
    throw badOption('servers', servers, "a list of at least one server, such as ['127.0.0.1:7400']")
  }
  return servers.map((server, index) => readServer(`servers[${index}]`, server))
}

const hostAndPort = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/

function readServer(path: string, server: ServerOption): ServerAddress {
  const within = (option: string) => (path === '' ? option : `${path}.${option}`)
  if (typeof server === 'string') {
    const found = hostAndPort.exec(server)
    if (found === null) throw badOption(path, server, 'host:port, or [address]:port for IPv6')
    return { host: (found[1] ?? found[2])!, port: checkPort(path, Number(found[3])) }
  }
  const { host = '127.0.0.1', port } = server ?? {}
  if (typeof host !== 'string' || host === '') throw badOption(within('host'), host, 'a host name or an IP address')
  return { host, port: checkPort(within('port'), port) }
}

function checkPort(option: string, port: unknown): number {
  return checkNumber(option, port, { least: 1, most: 65_535 })
}

/** `host:port`, as {@link readServers} takes it. */
export function serverName({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The error of an option that cannot be used. */
export function badOption(option: string, value: unknown, wanted: string): StarfishError {
  return new StarfishError('BAD_CONFIG', `${option} must be ${wanted}, not ${String(value)}`, {
    details: { option, value: String(value) },
  })
}
