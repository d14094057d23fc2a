/** The actors behind every server: an acceptor on each shard, and the listener of `accept: 'handoff'`. */
import { handoffListenerIo } from '../actors/acceptor/handoff.ts'
import { acceptorIo } from '../actors/acceptor/io.ts'
import { acceptorMachine } from '../actors/acceptor/machine.ts'
import { createConnections } from '../actors/connection/connections.ts'
import { defineActor } from '../actors/runtime/define-actor.ts'

/** Accepts and serves the connections of one shard. */
export const acceptor = defineActor(import.meta.url, 'acceptor', {
  machine: acceptorMachine,
  provide: acceptorIo(createConnections),
})

/** Accepts on the main thread and hands the sockets to the shards' acceptors. */
export const handoffListener = defineActor(import.meta.url, 'handoffListener', {
  machine: acceptorMachine,
  provide: handoffListenerIo,
})
