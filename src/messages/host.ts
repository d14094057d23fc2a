/** What a server can be told to listen at, as a person writes it. */
import { isIP } from 'node:net'

/** True for an IP address and for what may be the name of a host; whether it is one, only a resolver knows. */
export function isHost(host: string): boolean {
  return isIP(host) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)
}
