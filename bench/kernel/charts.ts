/** The charts that are measured. */
import { assign, setup } from 'xstate'

interface Counter {
  bytes: number
  chunks: number
  limit: number
  mode: string
}

type CounterEvent = { readonly type: 'chunk' | 'flip'; readonly bytes: number }

const base = setup({
  types: {} as { context: Counter; events: CounterEvent },
  actions: {
    count: ({ context, event }) => {
      context.bytes += event.bytes
      context.chunks += 1
    },
    add: assign({ bytes: ({ context, event }) => context.bytes + event.bytes }),
  },
  guards: { fits: ({ context, event }) => event.bytes < context.limit },
  delays: { idle: 60_000 },
})

const context = () => ({ bytes: 0, chunks: 0, limit: 1_000, mode: 'plain' })

/** One guard and an action that mutates the record. */
export const mutatingMachine = base.createMachine({
  id: 'mutating',
  context,
  initial: 'open',
  states: {
    open: { on: { chunk: { guard: 'fits', actions: 'count' }, flip: 'closed' } },
    closed: { on: { flip: 'open' } },
  },
})

/** One guard and an `assign`. */
export const assigningMachine = base.createMachine({
  id: 'assigning',
  context,
  initial: 'open',
  states: {
    open: { on: { chunk: { guard: 'fits', actions: 'add' }, flip: 'closed' } },
    closed: { on: { flip: 'open' } },
  },
})

/** One guard, an action and a timer that every event sets anew. */
export const deadlineMachine = base.createMachine({
  id: 'deadline',
  context,
  initial: 'open',
  states: {
    open: {
      after: { idle: 'closed' },
      on: { chunk: { guard: 'fits', target: 'open', reenter: true, actions: 'count' } },
    },
    closed: {},
  },
})

/** Further charts, each with functions of its own, so that the process is not in the shape of one chart. */
export const otherMachines = Array.from({ length: 12 }, (_, index) =>
  setup({
    types: {} as { context: Counter & Record<string, unknown>; events: CounterEvent },
    actions: {
      [`count${index}`]: ({ context, event }) => {
        context.bytes += event.bytes + index
      },
      [`mode${index}`]: assign({ mode: ({ event }) => `${event.type}${index}` }),
    },
    guards: { [`odd${index}`]: ({ event }) => (event.bytes + index) % 2 === 1 },
  }).createMachine({
    id: `other${index}`,
    context: () => ({ ...context(), [`extra${index}`]: index }),
    initial: 'on',
    states: {
      on: {
        on: {
          chunk: { guard: `odd${index}`, actions: `count${index}` },
          flip: { target: 'off', actions: `mode${index}` },
        },
      },
      off: { on: { flip: 'on', chunk: { actions: `count${index}` } } },
    },
  }),
)
