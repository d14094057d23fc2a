/** The UDP side of a server: a datagram actor on each shard, on the port of the acceptors. */

import { randomBytes } from 'node:crypto'
import { shutdownMarginMs } from '../actors/acceptor/config.ts'
import { datagramShards, type FilledUdpOptions } from '../actors/datagram/config.ts'
import { secretBytes } from '../actors/datagram/cookies.ts'
import { createDatagramFigures, type DatagramFigures, readDatagramFigures } from '../actors/datagram/figures.ts'
import { openDatagramIo } from '../actors/datagram/io.ts'
import { datagramMachine } from '../actors/datagram/machine.ts'
import { probeDatagrams } from '../actors/datagram/socket.ts'
import { child } from '../actors/runtime/child.ts'
import { defineActor } from '../actors/runtime/define-actor.ts'
import type { ProtocolReference } from '../actors/serving/protocol.ts'
import type { System } from '../supervisor/system.ts'
import type { PortSharers } from './frame-server.ts'

/** Takes and answers the datagrams of one shard. */
export const datagram = defineActor(import.meta.url, 'datagram', {
  machine: datagramMachine,
  engine: 'compiled',
  init: openDatagramIo,
})

/** The UDP side of one server. */
export interface DatagramActors extends PortSharers {
  figures(): DatagramFigures
}

/** What the actors are made of, besides what they make themselves. */
export interface DatagramSurroundings {
  /** Of the server. */
  readonly id: string
  readonly udp: FilledUdpOptions
  readonly protocol: ProtocolReference
}

/** The actors of one server; none runs yet. */
export function createDatagramActors(
  system: System,
  { id, udp: { enabled: _, ...udp }, protocol }: DatagramSurroundings,
): DatagramActors {
  const shards = datagramShards(system.shards, process.platform)
  const figures = createDatagramFigures(shards.length)
  const common = { ...udp, protocol, reusePort: shards.length > 1, secret: randomBytes(secretBytes), figures }
  const refs = shards.map((_shard, index) => system.ref(datagram, `${id}/u${index}`))
  return {
    probe: probeDatagrams,
    children: ({ host, port, bindTimeoutMs, rebindDelayMs, limits }) =>
      shards.map((shard, index) =>
        child(datagram, {
          id: `u${index}`,
          shard: shard === -1 ? 'main' : shard,
          input: { ...common, host, port, bindTimeoutMs, rebindDelayMs, limits },
          shutdown: limits.drainTimeoutMs + shutdownMarginMs,
        }),
      ),
    whenBound: timeoutMs => Promise.all(refs.map(ref => ref.ask({ type: 'datagram.whenBound' }, { timeoutMs }))),
    drain: timeoutMs =>
      Promise.allSettled(
        refs.map(ref => {
          ref.send({ type: 'datagram.drain' })
          return ref.ask({ type: 'datagram.whenDrained' }, { timeoutMs })
        }),
      ),
    figures: () => readDatagramFigures(figures),
  }
}
