/** The actor that owns a store: the only one that writes it. */
import { defineActor } from '../../../actors/runtime/define-actor.ts'
import { storeIo } from './io.ts'
import { storeMachine } from './machine.ts'
import { openStore } from './open-store.ts'

/** Takes the appends of all shards, a tick of each in one ask. Belongs on a thread of its own: a commit blocks its thread. */
export const logStore = defineActor(import.meta.url, 'logStore', {
  machine: storeMachine,
  init: openStore,
  provide: storeIo,
})
