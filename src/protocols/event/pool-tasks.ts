/** The commands of a server in a worker of its task pool. */

import type { DefinitionRef } from '../../actors/runtime/define-actor.ts'
import { importDefinition } from '../../actors/runtime/import-definition.ts'
import { defineTaskRunner } from '../../actors/task-pool/task-runner.ts'
import { bodyOfResult, createCommandReach } from './command-scope.ts'
import { type CommandContext, type CommandRequest, commandsKind } from './commands.ts'

/** What a request is to a worker, beside its body. */
export type PoolRequest = Omit<CommandRequest, 'body'>

/** Options of {@link eventTasks}. */
export interface PoolTaskOptions {
  readonly commands: DefinitionRef
  readonly replyBytesMax: number
}

/** Runs the handler that the payload, a {@link PoolRequest}, names. */
export const eventTasks = defineTaskRunner<PoolTaskOptions>(
  import.meta.url,
  'eventTasks',
  async ({ commands, replyBytesMax }, reach) => {
    const { table } = await importDefinition(commands, commandsKind)
    // Nothing that waits in a worker is told to stop: the worker itself is ended.
    const context: CommandContext = { ...createCommandReach(reach, reach.log), signal: new AbortController().signal }
    const room = { bytesMax: replyBytesMax, option: 'replyBytesMax' }
    return async (payload, body) => {
      const request = { ...(payload as PoolRequest), body }
      return bodyOfResult(await table[request.command]!.handle(request, context), room)
    }
  },
)
