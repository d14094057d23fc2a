/**
 * Which process listens on a port, as far as Linux tells this one: `/proc/net/tcp` names the socket, the descriptors of
 * a process lead to it. Only asked when a port is taken, so that a person need not look for who has it.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

/** A process that listens. */
export interface PortOwner {
  readonly pid: number
  /** How it was called, cut to what fits a line. */
  readonly command: string
}

/** The tables of the kernel, and how they write the state of a socket that takes what comes from anybody. */
const listens = { tcp: '0A', udp: '07' } as const
const commandCharsMax = 80

/** The process that listens on `port`; undefined where the system, or the process, does not let itself be asked. */
export function findPortOwner(port: number, transport: 'tcp' | 'udp'): PortOwner | undefined {
  const state = listens[transport]
  const sockets = new Set([transport, `${transport}6`].flatMap(table => listeningSockets(table, port, state)))
  if (sockets.size === 0) return undefined
  // This process first: it is the likeliest, and it can always be looked at.
  const pid = [
    process.pid,
    ...namesIn('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number),
  ].find(pid => namesIn(`/proc/${pid}/fd`).some(fd => sockets.has(linkAt(`/proc/${pid}/fd/${fd}`))))
  return pid === undefined ? undefined : { pid, command: commandOf(pid) }
}

/** `socket:[inode]` of the listeners on `port` in one of the kernel's tables. */
function listeningSockets(table: string, port: number, listening: string): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = textOf(`/proc/net/${table}`).split('\n').slice(1)
  return rows
    .map(row => row.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(suffix) && state === listening)
    .map(row => `socket:[${row[9]}]`)
}

function commandOf(pid: number): string {
  const [program = '', ...args] = textOf(`/proc/${pid}/cmdline`).split('\0')
  const command = [basename(program), ...args].join(' ').trim()
  return command.length <= commandCharsMax ? command : `${command.slice(0, commandCharsMax)}…`
}

function namesIn(folder: string): string[] {
  return unless(() => readdirSync(folder), [])
}

function linkAt(path: string): string {
  return unless(() => readlinkSync(path), '')
}

function textOf(path: string): string {
  return unless(() => readFileSync(path, 'utf8'), '')
}

/** Processes end while they are looked at, and those of others refuse to be. */
function unless<T>(look: () => T, otherwise: T): T {
  try {
    return look()
  } catch {
    return otherwise
  }
}
