/** Where a server listens, as people write it. */
import { isIP } from 'node:net'

/** True for an IP address and for what may be the name of a host; whether it is one, only a resolver knows. */
export function isHost(host: string): boolean {
  return isIP(host) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)
}

/** Host and port as one word, an IPv6 address in brackets. */
export function addressText(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
