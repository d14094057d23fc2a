/** The actor that runs tasks on worker threads of its own: beside the shards, for what computes. */

import { defineActor } from '../actors/runtime/define-actor.ts'
import { taskPoolIo } from '../actors/task-pool/io.ts'
import { taskPoolMachine } from '../actors/task-pool/machine.ts'

/** Takes `task.run`, answers with what became of the task. Lives on the main thread. */
export const taskPool = defineActor(import.meta.url, 'taskPool', {
  machine: taskPoolMachine,
  provide: taskPoolIo,
  // Every shard may hand over a burst before the first task of it is looked at: the bound is the pool's queue, not this.
  mailbox: { messagesMax: 16_384 },
})
