/**
 * The chart of a supervisor under OTP's rules.
 *
 * It does one thing at a time, as OTP's supervisor (a gen_server) does: while it stops or starts a child, everything but
 * the answer of that very child waits. What waited is taken up one event at a time, each as a step of its own, so a
 * storm of exits never holds up its thread. Parent: another supervisor, or the system; restart class as its spec says.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> created
 *   created --> deciding: supervisor.next / boot
 *   deciding --> stoppingChild: a child is to stop
 *   deciding --> startingChild: a child is to start
 *   deciding --> stoppingAll: a dynamic supervisor ends
 *   deciding --> ended: it ends and no child is left
 *   deciding --> resuming: events waited
 *   deciding --> idle
 *   stoppingChild --> deciding: child.exited
 *   startingChild --> deciding: child.started, child.ignored, child.startFailed
 *   stoppingAll --> ended: no child is left
 *   resuming --> deciding: supervisor.next / the oldest event that waited
 *   idle --> deciding: exits, commands, ticks, supervisor.stop
 *   ended --> [*]
 * ```
 *
 * The kernel runs it in compiled form and feeds it {@link SupervisorEvent}. Its output is the reason it ends with. When
 * its own actor ends in any other way (killed, an action that threw), the kernel kills what `abandon` returns.
 */
import { assertEvent, type EventObject, setup } from 'xstate'
import type { ExitReason } from '../messages/thread/exit.ts'
import type { SupervisorEvent } from './child-host.ts'
import type { ResolvedSupervisorSpec } from './child-spec.ts'
import { spawnsMachine } from './spawns-machine.ts'
import { deferEvent, noteExit, takeEvent } from './supervisor-decisions.ts'
import {
  advance,
  askAwaited,
  noteIgnored,
  noteStarted,
  noteStartFailed,
  noteStopped,
  noteStoppedOne,
  settleForgone,
  stopAll,
} from './supervisor-job.ts'
import {
  createSupervisorState,
  disposeChildren,
  newJob,
  type SupervisorInput,
  type SupervisorState,
} from './supervisor-state.ts'

/** The chart of a supervisor. */
export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorState,
    events: {} as SupervisorEvent,
    input: {} as SupervisorInput,
    output: {} as ExitReason,
  },
  guards: {
    isAwaited: ({ context, event }) => isAwaited(context, event),
    mustStopAll: ({ context: { ending, spec } }) => ending !== undefined && spec.dynamic,
    mustStopChild: ({ context: { job } }) => job !== undefined && job.stopped < job.stop.length,
    mustStartChild: ({ context: { job } }) => job?.awaited !== undefined,
    hasEnded: ({ context }) => context.ending !== undefined,
    hasWaiting: ({ context }) => context.waiting.size > 0,
    isChildless: ({ context }) => context.children.size === 0,
  },
  actions: {
    askNext: ({ context }) => context.host.post({ type: 'supervisor.next' }),
    beginBoot: ({ context }) => {
      context.job = newJob('boot', { start: [...context.children.values()] })
    },
    advance: ({ context }) => advance(context),
    take: ({ context, event }) => {
      noteExit(context, event)
      takeEvent(context, event)
    },
    takeWaiting: ({ context }) => takeEvent(context, context.waiting.shift()!),
    defer: ({ context, event }) => deferEvent(context, event),
    askStop: ({ context }) => askAwaited(context, 'stop'),
    askStart: ({ context }) => askAwaited(context, 'start'),
    noteStopped: ({ context, event }) => {
      assertEvent(event, 'child.exited')
      noteStopped(context, event)
    },
    noteStarted: ({ context, event }) => {
      assertEvent(event, 'child.started')
      noteStarted(context, event)
    },
    noteIgnored: ({ context }) => noteIgnored(context),
    noteStartFailed: ({ context, event }) => {
      assertEvent(event, 'child.startFailed')
      noteStartFailed(context, event)
    },
    stopAll: ({ context }) => stopAll(context),
    noteStoppedOne: ({ context, event }) => {
      assertEvent(event, 'child.exited')
      noteStoppedOne(context, event)
    },
    settleForgone: ({ context }) => settleForgone(context),
    dispose: ({ context }) => disposeChildren(context),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => createSupervisorState(input),
  initial: 'created',
  output: ({ context }) => context.ending!,
  states: {
    /** Its own `next` gets it going: what entry actions do before the actor has started, guards would not see. */
    created: {
      entry: 'askNext',
      on: {
        'supervisor.next': { target: 'deciding', actions: 'beginBoot' },
        '*': { actions: 'defer' },
      },
    },
    deciding: {
      entry: 'advance',
      always: [
        { guard: 'mustStopAll', target: 'stoppingAll' },
        { guard: 'mustStopChild', target: 'stoppingChild' },
        { guard: 'mustStartChild', target: 'startingChild' },
        { guard: 'hasEnded', target: 'ended' },
        { guard: 'hasWaiting', target: 'resuming' },
        { target: 'idle' },
      ],
    },
    idle: {
      entry: 'settleForgone',
      on: { '*': { target: 'deciding', actions: 'take' } },
    },
    resuming: {
      entry: 'askNext',
      on: {
        'supervisor.next': { target: 'deciding', actions: 'takeWaiting' },
        '*': { actions: 'defer' },
      },
    },
    stoppingChild: {
      entry: 'askStop',
      on: {
        'child.exited': [{ guard: 'isAwaited', target: 'deciding', actions: 'noteStopped' }, { actions: 'defer' }],
        '*': { actions: 'defer' },
      },
    },
    startingChild: {
      entry: 'askStart',
      on: {
        'child.started': { guard: 'isAwaited', target: 'deciding', actions: 'noteStarted' },
        'child.ignored': { guard: 'isAwaited', target: 'deciding', actions: 'noteIgnored' },
        'child.startFailed': { guard: 'isAwaited', target: 'deciding', actions: 'noteStartFailed' },
        '*': { actions: 'defer' },
      },
    },
    stoppingAll: {
      entry: 'stopAll',
      always: { guard: 'isChildless', target: 'ended' },
      on: {
        'child.exited': { actions: 'noteStoppedOne' },
        '*': { actions: 'defer' },
      },
    },
    ended: { type: 'final', entry: 'dispose' },
  },
})

function isAwaited(state: SupervisorState, event: EventObject & { id?: unknown; incarnation?: unknown }): boolean {
  const data = state.job?.awaited?.data
  return data !== undefined && event.id === data.id && event.incarnation === data.incarnation
}

/** The chart that a supervisor of this spec runs. Both take {@link SupervisorInput} and {@link SupervisorEvent}. */
export function supervisorChart(spec: ResolvedSupervisorSpec): typeof supervisorMachine | typeof spawnsMachine {
  return spec.budgetPerChild ? spawnsMachine : supervisorMachine
}
