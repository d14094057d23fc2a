/** The log protocol, as the pool takes it: how a server is dialed, and what it is greeted with. */
import { serverName } from '../client-options.ts'
import type { Wire } from '../link.ts'
import { StreamLink } from '../stream-link.ts'
import { logCall } from './log-calls.ts'
import type { LogClientConfig } from './log-client-options.ts'
import { LogStream } from './log-stream.ts'
import { PendingLog } from './pending-log.ts'

const nobodyWaits = (): void => {}

/** Makes the wire of a client. */
export function logWire({ tls, pool, frameBytesMax }: LogClientConfig): Wire<PendingLog> {
  const { keepAliveIdleMs, outputHighWaterBytes, connectTimeoutMs } = pool
  const options = { tls, keepAliveIdleMs, outputHighWaterBytes }
  return {
    protocol: "the message log's protocol",
    dial: (server, owner) =>
      new StreamLink(server, new LogStream(serverName(server), owner, frameBytesMax), owner, options),
    greeting() {
      const waits = { timeoutMs: connectTimeoutMs, isIdempotent: true }
      return new PendingLog(logCall.healthCheck, {}, frameBytesMax, waits, nobodyWaits, nobodyWaits)
    },
    onLoss: 'fail',
  }
}
