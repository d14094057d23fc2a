/** The actors behind every server: an acceptor on each shard, and the listener of `accept: 'handoff'`. */

import { setup } from 'xstate'
import { handoffListenerIo } from '../actors/acceptor/handoff.ts'
import { acceptorIo } from '../actors/acceptor/io.ts'
import { acceptorMachine } from '../actors/acceptor/machine.ts'
import { createConnections } from '../actors/connection/connections.ts'
import type { ConnectionClose } from '../actors/connection/host-table.ts'
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

/**
 * A connection, as refs know it: `system.ref(connection, 'events/s0/c7')` can be inspected, told to close, watched and
 * killed. Acceptors make connections; there is nothing to spawn.
 */
export const connection = defineActor(import.meta.url, 'connection', {
  machine: setup({ types: { events: {} as ConnectionClose } }).createMachine({}),
})
