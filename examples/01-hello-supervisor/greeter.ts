/** A greeter: answers greetings, counts them, and crashes over one name. */
import { defineActor, type Request, reply } from 'starfish-net'
import { assign, setup } from 'xstate'

type GreeterEvent = Request<{ type: 'greeter.greet'; name: string }, string> | { type: 'greeter.insult' }

interface GreeterContext {
  readonly greeted: number
}

const replies = reply<GreeterEvent, GreeterContext>()

const greeterMachine = setup({
  types: { context: {} as GreeterContext, events: {} as GreeterEvent },
  actions: {
    count: assign({ greeted: ({ context }) => context.greeted + 1 }),
    greet: replies('greeter.greet', ({ context, event }) => `hello ${event.name}, you are number ${context.greeted}`),
    takeOffence: () => {
      throw new Error('how dare you')
    },
  },
}).createMachine({
  id: 'greeter',
  context: { greeted: 0 },
  on: {
    'greeter.greet': { actions: ['count', 'greet'] },
    'greeter.insult': { actions: 'takeOffence' },
  },
})

export const greeter = defineActor(import.meta.url, 'greeter', { machine: greeterMachine })
