/**
 * The event server: the 16-byte event protocol over TCP on every shard, with the built-in commands echo (0) and ping (1).
 */
import type { AcceptorOptions } from '../actors/acceptor/config.ts'
import { protocolReference } from '../actors/serving/protocol.ts'
import { checkRaidaId, eventProtocol } from '../protocols/event/event-protocol.ts'
import type { System } from '../supervisor/system.ts'
import { createFrameServer, type FrameServer } from './frame-server.ts'

/** Options of {@link createEventServer}. */
export interface EventServerOptions extends Omit<AcceptorOptions, 'protocol'> {
  /** Address of the server's supervisor. `events` by default. */
  readonly id?: string
  /** The id that requests must carry, 0 to 255; others are answered invalidHeader. 0 by default. */
  readonly raidaId?: number
}

/** Creates an event server; it does not listen before `start`. Throws BAD_CONFIG for options that cannot be used. */
export function createEventServer(system: System, options: EventServerOptions): FrameServer {
  const { id = 'events', raidaId = 0, ...acceptor } = options
  return createFrameServer(system, id, {
    ...acceptor,
    protocol: protocolReference(eventProtocol, { raidaId: checkRaidaId(raidaId) }),
  })
}
