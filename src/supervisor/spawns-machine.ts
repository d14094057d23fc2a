/**
 * The chart of a supervisor whose budget is per child: what stands for the implicit supervisors of top-level spawns.
 *
 * It behaves as that many `one_for_one` supervisors of one child each: children start, restart and stop without waiting
 * for each other, each has `intensity` restarts in `periodMs` for itself, and one that spends them ends with its own
 * last reason, while the supervisor goes on. What it costs is O(1) per child. Parent: the root; never gives up.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> supervising
 *   supervising --> supervising: exits, commands, ticks
 *   supervising --> stoppingAll: supervisor.stop
 *   stoppingAll --> ended: no child is left
 *   ended --> [*]
 * ```
 */
import { setup } from 'xstate'
import type { ExitReason } from '../messages/thread/exit.ts'
import type { SupervisorEvent } from './child-host.ts'
import { createSpawnsState, type SpawnsState, takeSpawnEvent } from './spawns.ts'
import { disposeChildren, type SupervisorInput } from './supervisor-state.ts'

/** The chart of a supervisor with `budgetPerChild`. */
export const spawnsMachine = setup({
  types: {
    context: {} as SpawnsState,
    events: {} as SupervisorEvent,
    input: {} as SupervisorInput,
    output: {} as ExitReason,
  },
  guards: {
    isEnding: ({ context }) => context.ending !== undefined,
    isChildless: ({ context }) => context.children.size === 0,
  },
  actions: {
    tellReady: ({ context }) => context.host.ready(),
    take: ({ context, event }) => takeSpawnEvent(context, event),
    dispose: ({ context }) => disposeChildren(context),
  },
}).createMachine({
  id: 'spawns',
  context: ({ input }) => createSpawnsState(input),
  initial: 'supervising',
  output: ({ context }) => context.ending!,
  states: {
    supervising: {
      entry: 'tellReady',
      always: { guard: 'isEnding', target: 'stoppingAll' },
      on: { '*': { actions: 'take' } },
    },
    stoppingAll: {
      always: { guard: 'isChildless', target: 'ended' },
      on: { '*': { actions: 'take' } },
    },
    ended: { type: 'final', entry: 'dispose' },
  },
})
