/** An echo service. */
import { defineActor, type Request, reply } from 'starfish-net'
import { setup } from 'xstate'

type EchoEvent = Request<{ type: 'echo.say'; text: string }, string>

const replies = reply<EchoEvent>()

const echoMachine = setup({
  types: { events: {} as EchoEvent },
  actions: { answer: replies('echo.say', ({ event }) => event.text) },
}).createMachine({ id: 'echo', on: { 'echo.say': { actions: 'answer' } } })

export const echo = defineActor(import.meta.url, 'echo', { machine: echoMachine })
