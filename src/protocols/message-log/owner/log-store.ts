/** The actor that owns a store: the only one that writes it. */
import type { ActorRuntime } from '../../../actors/runtime/actor-runtime.ts'
import { defineActor } from '../../../actors/runtime/define-actor.ts'
import { runtimeOf } from '../../../actors/runtime/runtime-actions.ts'
import { type StoreScope, storeIo } from './io.ts'
import { storeMachine } from './machine.ts'
import { openStore } from './open-store.ts'

type StoreIo = ReturnType<typeof storeIo>

/** The I/O of each incarnation of this thread. */
const known = new WeakMap<ActorRuntime, StoreIo>()

function ioOf(scope: StoreScope): StoreIo | undefined {
  const runtime = runtimeOf(scope)
  if (runtime === undefined) return undefined
  const io = known.get(runtime) ?? storeIo(runtime)
  known.set(runtime, io)
  return io
}

/**
 * Takes the appends of all shards, a tick of each in one ask. Belongs on a thread of its own: a commit blocks its thread. Its chart is
 * compiled, since it steps twice for each of those asks.
 */
export const logStore = defineActor(import.meta.url, 'logStore', {
  machine: storeMachine.provide({
    actions: {
      closeEngine: scope => ioOf(scope)?.closeEngine(),
      append: scope => ioOf(scope)?.append(scope),
      createTopic: scope => ioOf(scope)?.createTopic(scope),
      deleteTopic: scope => ioOf(scope)?.deleteTopic(scope),
      listTopics: scope => ioOf(scope)?.listTopics(scope),
      readOffset: scope => ioOf(scope)?.readOffset(scope),
      readMessages: scope => ioOf(scope)?.readMessages(scope),
      retain: scope => ioOf(scope)?.retain(scope),
      reportFailure: scope => ioOf(scope)?.reportFailure(scope),
    },
  }),
  engine: 'compiled',
  init: openStore,
})
