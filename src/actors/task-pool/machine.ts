/**
 * The life of a task pool: load the workers, run tasks, refuse what there is no room for, finish what is in hand.
 *
 * Parent: the server that needs it, before whatever sends it tasks. Restart: permanent; what it had in hand fails with it.
 * The chart decides what runs and what waits; the I/O makes the workers follow (`runDue`, `drop`).
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> opening
 *   opening --> serving: all workers loaded
 *   opening --> failed: worker.failed, openTimeout
 *   state serving {
 *     [*] --> idle
 *     idle --> working: a task runs
 *     working --> full: as many wait as may
 *     full --> working
 *     working --> idle
 *   }
 *   serving --> failed: worker.failed
 *   serving --> draining: actor.shutdown
 *   opening --> draining: actor.shutdown
 *   draining --> closed: nothing in hand, drainTimeout
 *   closed --> [*]
 * ```
 * Where it opens, serves or drains, it takes `task.finished`, `task.expired` and `task.cancel` for what is in hand.
 */
import { assign, setup } from 'xstate'
import { StarfishError } from '../../messages/errors.ts'
import { postpone, reply, replyTo, replyToken, watch } from '../runtime/runtime-actions.ts'
import type { TaskPoolInput } from './config.ts'
import type { TaskOutcome, TaskPoolEvent } from './events.ts'
import {
  filled,
  findTask,
  hasRoom,
  noLoad,
  type PoolLoad,
  type PoolRoom,
  type PoolTask,
  taskKey,
  withoutTask,
  withTask,
} from './transitions.ts'

/** The extended state of a task pool. */
export interface TaskPoolContext {
  readonly input: TaskPoolInput
  /** Workers that have loaded since it began to open. */
  readonly loaded: number
  readonly load: PoolLoad
  /** How much it may have in hand: while it opens, nothing runs. */
  readonly room: PoolRoom
  /** Why it failed. */
  readonly error: unknown
}

interface Scope {
  readonly context: TaskPoolContext
  readonly event: TaskPoolEvent
}

const replies = reply<TaskPoolEvent, TaskPoolContext>()
const settles = replyTo<TaskPoolEvent, TaskPoolContext>()

/** Replaced by the I/O; without it (walks, pictures) nothing happens. */
function injected(): void {}

const taskOver = ['countOutcome', 'answer', 'release', 'drop', 'runDue', 'showLoad'] as const

/** The chart; `taskPoolIo` provides its I/O. */
export const taskPoolMachine = setup({
  types: { context: {} as TaskPoolContext, events: {} as TaskPoolEvent, input: {} as TaskPoolInput },
  actions: {
    /** Starts the workers; reports `worker.loaded` for each, or `worker.failed`. */
    openWorkers: injected,
    /** Has the time of the new task run; reports `task.expired`. */
    time: injected,
    /** Gives workers what is to run and does not yet; reports `task.finished`. */
    runDue: injected,
    /** Forgets the task of the event: ends its worker, if it has one and is not done. */
    drop: injected,
    /** Has the waiting tasks of an actor that is gone cancelled. */
    cancelOrphans: injected,
    countRefused: injected,
    /** Counts what became of the task of the event. */
    countOutcome: injected,
    /** Shows how many tasks run and wait. */
    showLoad: injected,
    /** Ends the actor with `context.error`. */
    reportFailure: injected,
    take: assign(({ context, event, ...scope }) =>
      event.type === 'task.run' ? { load: withTask(context.load, taskOf(event, scope), context.room) } : {},
    ),
    release: assign(({ context, event }) => ({
      load: withoutTask(context.load, keyOf(event), context.room),
    })),
    /** Lets run what has come while it opened. */
    openRoom: assign(({ context: { input, load } }) => ({ room: input, load: filled(load, input) })),
    refuse: replies('task.run', (): TaskOutcome => ({ type: 'refused' })),
    answer: settles('task.run', ({ context, event }) => {
      const token = findTask(context.load, keyOf(event))?.token
      return token === undefined ? undefined : { token, value: outcomeOf(event) }
    }),
    watchOwner: watch(({ event }) => (event.type === 'task.run' ? event.owner : '')),
    tellOpen: replies('pool.whenOpen', () => undefined),
    /** Asked before it is known whether it opens: the question waits. */
    postpone,
    countLoaded: assign(({ context }) => ({ loaded: context.loaded + 1 })),
    keepError: assign(({ event }) => (event.type === 'worker.failed' ? { error: event.error } : {})),
    keepTimeout: assign(({ context }) => ({ error: openTimedOut(context.input) })),
  },
  guards: {
    hasRoom: ({ context }) => hasRoom(context.load, context.room),
    /** In hand: late results and deadlines of tasks that are over say nothing. */
    isInHand: ({ context, event }) => findTask(context.load, keyOf(event)) !== undefined,
    isWaiting: ({ context, event }) => {
      const key = keyOf(event)
      return context.load.queue.some(task => task.key === key)
    },
    isLastWorker: ({ context }) => context.loaded + 1 >= context.input.threads,
    isWorking: ({ context }) => context.load.running.size > 0,
    isIdle: ({ context }) => context.load.running.size === 0,
    isFull: ({ context }) => !hasRoom(context.load, context.room),
  },
  delays: {
    openTimeout: ({ context }) => context.input.openTimeoutMs,
    drainTimeout: ({ context }) => context.input.drainTimeoutMs,
  },
}).createMachine({
  id: 'taskPool',
  context: ({ input }) => ({
    input,
    loaded: 0,
    load: noLoad,
    room: { threads: 0, queueMax: input.queueMax },
    error: undefined,
  }),
  initial: 'opening',
  entry: 'openWorkers',
  on: {
    'task.run': [
      { guard: 'hasRoom', actions: ['take', 'watchOwner', 'time', 'runDue', 'showLoad'] },
      { actions: ['refuse', 'countRefused'] },
    ],
    'task.finished': { guard: 'isInHand', actions: taskOver },
    'task.expired': { guard: 'isInHand', actions: taskOver },
    'task.cancel': { guard: 'isWaiting', actions: taskOver },
    'actor.exited': { actions: 'cancelOrphans' },
    'worker.failed': { target: '.failed', actions: 'keepError' },
    'actor.shutdown': '.draining',
  },
  states: {
    opening: {
      on: {
        'pool.whenOpen': { actions: 'postpone' },
        'worker.loaded': [{ guard: 'isLastWorker', target: 'serving' }, { actions: 'countLoaded' }],
      },
      after: { openTimeout: { target: 'failed', actions: 'keepTimeout' } },
    },
    serving: {
      initial: 'idle',
      entry: ['openRoom', 'runDue', 'showLoad'],
      on: { 'pool.whenOpen': { actions: 'tellOpen' } },
      states: {
        idle: { always: { guard: 'isWorking', target: 'working' } },
        working: {
          always: [
            { guard: 'isIdle', target: 'idle' },
            { guard: 'isFull', target: 'full' },
          ],
        },
        full: { always: { guard: 'hasRoom', target: 'working' } },
      },
    },
    draining: {
      always: { guard: 'isIdle', target: 'closed' },
      on: {
        'task.run': { actions: ['refuse', 'countRefused'] },
        'actor.shutdown': {},
      },
      after: { drainTimeout: 'closed' },
    },
    closed: { type: 'final' },
    failed: { entry: 'reportFailure' },
  },
})

function taskOf(event: Extract<TaskPoolEvent, { type: 'task.run' }>, scope: { readonly system: unknown }): PoolTask {
  const { type: _, ...task } = event
  return { ...task, key: taskKey(event), token: replyToken(scope) }
}

/** The key of the task that an event is about. */
export function keyOf(event: Scope['event']): string {
  if (event.type === 'task.finished' || event.type === 'task.expired') return event.key
  return event.type === 'task.run' || event.type === 'task.cancel' ? taskKey(event) : ''
}

/** What becomes of the task that an event is about. */
export function outcomeOf(event: Scope['event']): TaskOutcome {
  switch (event.type) {
    case 'task.finished':
      return event.outcome
    case 'task.expired':
      return { type: 'expired' }
    case 'task.cancel':
      return { type: 'cancelled' }
    default:
      return { type: 'refused' }
  }
}

function openTimedOut({ openTimeoutMs, threads }: TaskPoolInput): StarfishError {
  const text = `the ${threads} workers of a task pool did not load within ${openTimeoutMs} ms`
  return new StarfishError('START_FAILED', text, { details: { openTimeoutMs, threads } })
}
