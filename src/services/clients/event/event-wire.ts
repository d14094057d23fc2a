/** The event protocol, as the pool takes it: how a server is dialed, and what it is greeted with. */
import { eventCommand } from '../../../messages/event/status.ts'
import { serverName } from '../client-options.ts'
import type { ServerAddress, Wire } from '../link.ts'
import { StreamLink } from '../stream-link.ts'
import type { EventClientConfig } from './event-client-options.ts'
import { type CookieJar, EventDatagrams } from './event-datagrams.ts'
import { EventStream } from './event-stream.ts'
import { PendingEvent } from './pending-event.ts'

const noBody = new Uint8Array(0)
const nobodyWaits = (): void => {}

/** Makes the wire of a client; `nextSessionId` is asked for those of greetings. */
export function eventWire(config: EventClientConfig, nextSessionId: () => number): Wire<PendingEvent> {
  const { raidaId, pool, transport } = config
  return {
    protocol: 'the event protocol',
    dial: transport === 'udp' ? datagramDial(config) : streamDial(config),
    greeting() {
      const content = { raidaId, command: eventCommand.ping, sessionId: nextSessionId(), body: noBody }
      return new PendingEvent(
        content,
        { timeoutMs: pool.connectTimeoutMs, isIdempotent: true },
        nobodyWaits,
        nobodyWaits,
      )
    },
    isOneShot: config.oneRequestPerConnection,
    onLoss: transport === 'udp' ? 'repeat' : 'fail',
  }
}

function streamDial({ tls, pool, answerBytesMax }: EventClientConfig): Wire<PendingEvent>['dial'] {
  const { keepAliveIdleMs, outputHighWaterBytes } = pool
  const options = { tls, keepAliveIdleMs, outputHighWaterBytes }
  return (server, owner) =>
    new StreamLink(server, new EventStream(serverName(server), owner, answerBytesMax), owner, options)
}

function datagramDial(options: EventClientConfig): Wire<PendingEvent>['dial'] {
  const jars = new Map<ServerAddress, CookieJar>()
  const jarOf = (server: ServerAddress): CookieJar => {
    const jar = jars.get(server) ?? { cookie: undefined, goodUntilMs: 0 }
    jars.set(server, jar)
    return jar
  }
  return (server, owner) => new EventDatagrams(server, owner, jarOf(server), options)
}
