/** A thermostat: the union of its events is the whole of its interface. */
import { defineActor, type ReplyToken, type Request, reply, replyTo, replyToken } from 'starfish-net'
import { assign, setup } from 'xstate'

/** What a thermostat reads. */
export interface Reading {
  readonly celsius: number
  readonly heats: boolean
}

export type ThermostatEvent =
  | { type: 'thermostat.set'; celsius: number }
  | { type: 'thermostat.sense'; celsius: number }
  | Request<{ type: 'thermostat.read' }, Reading>
  /** Answered once it is as warm as it was set to. */
  | Request<{ type: 'thermostat.await' }, { readonly reachedAt: number }>

interface ThermostatContext {
  readonly target: number
  readonly celsius: number
  readonly waiting: ReplyToken | undefined
}

const replies = reply<ThermostatEvent, ThermostatContext>()
const repliesLater = replyTo<ThermostatEvent, ThermostatContext>()

const thermostatMachine = setup({
  types: {
    context: {} as ThermostatContext,
    events: {} as ThermostatEvent,
    input: {} as { readonly target: number },
  },
  guards: {
    isWarm: ({ context, event }) => event.type === 'thermostat.sense' && event.celsius >= context.target,
  },
  actions: {
    aim: assign(({ event }) => (event.type === 'thermostat.set' ? { target: event.celsius } : {})),
    sense: assign(({ event }) => (event.type === 'thermostat.sense' ? { celsius: event.celsius } : {})),
    tell: replies('thermostat.read', ({ context }) => ({
      celsius: context.celsius,
      heats: context.celsius < context.target,
    })),
    keepAsker: assign(scope => ({ waiting: replyToken(scope) })),
    tellAsker: repliesLater('thermostat.await', ({ context: { waiting, celsius } }) =>
      waiting === undefined ? undefined : { token: waiting, value: { reachedAt: celsius } },
    ),
  },
}).createMachine({
  id: 'thermostat',
  context: ({ input }) => ({ target: input.target, celsius: 0, waiting: undefined }),
  on: {
    'thermostat.set': { actions: 'aim' },
    'thermostat.sense': [{ guard: 'isWarm', actions: ['sense', 'tellAsker'] }, { actions: 'sense' }],
    'thermostat.read': { actions: 'tell' },
    'thermostat.await': { actions: 'keepAsker' },
  },
})

export const thermostat = defineActor(import.meta.url, 'thermostat', { machine: thermostatMachine })
