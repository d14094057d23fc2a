/** The event protocol, as the pool takes it: how a server is dialed, and what it is greeted with. */
import type { Clock, Random } from '../../../actors/runtime/clock.ts'
import { eventCommand } from '../../../messages/event/status.ts'
import { serverName } from '../client-options.ts'
import type { Wire } from '../link.ts'
import { StreamLink } from '../stream-link.ts'
import type { EventClientConfig } from './event-client-options.ts'
import { EventStream } from './event-stream.ts'
import { PendingEvent } from './pending-event.ts'

const noBody = new Uint8Array(0)
const nobodyWaits = (): void => {}

/** Numbers for requests that bring none of their own: in turn over TCP, where order tells answers apart; by chance over UDP. */
export function sessionIds(transport: EventClientConfig['transport'], random: Random): () => number {
  const byChance = () => Math.floor(random() * 2 ** 32)
  if (transport === 'udp') return byChance
  let last = byChance()
  return () => {
    last = (last + 1) >>> 0
    return last
  }
}

/** Makes the wire of a client. */
export function eventWire(config: EventClientConfig, _clock: Clock, random: Random): Wire<PendingEvent> {
  const { raidaId, pool, tls, answerBytesMax } = config
  const nextSessionId = sessionIds(config.transport, random)
  const streamOptions = {
    tls,
    keepAliveIdleMs: pool.keepAliveIdleMs,
    outputHighWaterBytes: pool.outputHighWaterBytes,
  }
  return {
    dial: (server, owner) =>
      new StreamLink(server, new EventStream(serverName(server), owner, answerBytesMax), owner, streamOptions),
    greeting: () =>
      new PendingEvent(
        { raidaId, command: eventCommand.ping, sessionId: nextSessionId(), body: noBody },
        pool.connectTimeoutMs,
        true,
        nobodyWaits,
        nobodyWaits,
      ),
    onLoss: config.transport === 'udp' ? 'repeat' : 'fail',
  }
}
