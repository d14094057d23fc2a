/** How clients check what they are told: groups of numbers, certificates, and the servers they are to use. */
import { type ConnectionOptions, createSecureContext } from 'node:tls'
import { StarfishError } from '../../messages/errors.ts'
import { createFaults, type Faults, type OptionFault, optionError, show } from '../../messages/option-faults.ts'
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

/** Adds a fault unless the value is a number within its range. */
export function checkNumber(option: string, value: unknown, { least, most, isFraction }: NumberRange, faults: Faults) {
  if (isFraction) faults.number(option, value, least, most)
  else faults.whole(option, value, least, most)
}

/** Fills a group of numbers with its defaults, and checks those that were given. */
export function fillNumbers<T extends { readonly [K in keyof T]: number }>(
  group: string,
  given: Partial<T> | undefined,
  { defaults, ranges }: { readonly defaults: T; readonly ranges: Readonly<Record<keyof T, NumberRange>> },
  faults: Faults,
): T {
  const filled = { ...defaults }
  if (given === undefined || !faults.options(group, given, Object.keys(defaults))) return filled
  for (const name of Object.keys(defaults) as (keyof T & string)[]) {
    const value = given[name]
    if (value === undefined) continue
    checkNumber(name, value, ranges[name], faults.within(group))
    filled[name] = value
  }
  return filled
}

const closeTimeoutMs = 5_000

/** How long a close of `what` waits for what is open, ms; `Infinity`: until all of it is over. @throws `BAD_CONFIG` for what is no number. */
export function closeWaitMs(options: { readonly timeoutMs?: number }, what = 'client'): number {
  const faults = createFaults()
  const { timeoutMs = closeTimeoutMs } = faults.options('', options, ['timeoutMs']) ? options : {}
  faults.number('timeoutMs', timeoutMs, 0, Number.POSITIVE_INFINITY)
  faults.throwIfAny('BAD_CONFIG', `the ${what} was not closed`)
  return timeoutMs
}

/** Adds a fault for certificates that cannot be used: told before anything is dialed. */
export function checkTls(tls: ConnectionOptions, faults: Faults): void {
  if (typeof tls !== 'object' || tls === null) {
    faults.add('tls', `is ${show(tls)}, not an object with options`)
    return
  }
  try {
    createSecureContext(tls)
  } catch (error) {
    faults.add('tls', `cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A server as users write it: `host:port`, `[address]:port`, or both apart; the host is 127.0.0.1 unless it is said. */
export type ServerOption = string | { readonly host?: string; readonly port: number }

/** Which servers a client uses: several, or one. */
export type ServersOption =
  | { readonly servers: readonly ServerOption[] }
  | { readonly host?: string; readonly port: number }

const listWanted = "a list of servers is wanted, such as ['host:port']"

const portRange: NumberRange = { least: 1, most: 65_535 }
const hostAndPort = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/

/** Reads the servers of a client. */
export function readServers(options: ServersOption, faults: Faults): readonly ServerAddress[] {
  const { servers, host, port } = options as Partial<Record<'servers' | 'host' | 'port', unknown>>
  if (servers === undefined && host === undefined && port === undefined) {
    faults.add('servers', `is not given, nor the port of one server: ${listWanted}`)
    return []
  }
  if (servers === undefined) return [readAddress(options as { port: number }, faults)]
  for (const [option, value] of Object.entries({ host, port })) {
    if (value !== undefined) faults.add(option, 'is given beside servers: it is for a client of one server')
  }
  return readServerList('servers', servers as readonly ServerOption[], faults)
}

/** Reads a list of servers that has at least one. */
export function readServerList(
  option: string,
  servers: readonly ServerOption[],
  faults: Faults,
): readonly ServerAddress[] {
  if (Array.isArray(servers) && servers.length > 0) {
    return servers.map((server, index) => readServer(`${option}[${index}]`, server, faults))
  }
  const isEmpty = Array.isArray(servers) && servers.length === 0
  faults.add(option, `is ${isEmpty ? 'empty' : show(servers)}: ${listWanted}`)
  return []
}

/** Reads a server. */
export function readServer(path: string, server: ServerOption, faults: Faults): ServerAddress {
  if (typeof server !== 'string') {
    return faults.options(path, server, ['host', 'port']) ? readAddress(server, faults.within(path)) : server
  }
  const [, bracketed, plain, port] = hostAndPort.exec(server) ?? []
  const host = bracketed ?? plain
  if (host === undefined) faults.add(path, `is ${show(server)}, not host:port, or [address]:port`)
  else checkNumber(path, Number(port), portRange, faults)
  return { host: host ?? '', port: Number(port) }
}

function readAddress({ host = '127.0.0.1', port }: { host?: string; port: number }, faults: Faults): ServerAddress {
  faults.name('host', host)
  checkNumber('port', port, portRange, faults)
  return { host, port }
}

/** `host:port`, as {@link readServers} takes it. */
export function serverName({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The error of a request whose arguments cannot be used. */
export function notSent(faults: readonly OptionFault[]): StarfishError {
  const { code, message, details } = optionError('BAD_CONFIG', 'the request was not sent', faults)
  return new StarfishError(code, message, { details, handled: 'no' })
}
