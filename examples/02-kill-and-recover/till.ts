/** A till: takes payments, tells its sum, and is slow to close: it keeps that request open. */
import { defineActor, type Request, reply, replyToken } from 'starfish-net'
import { assign, setup } from 'xstate'

type TillEvent =
  | Request<{ type: 'till.pay'; cents: number }, number>
  | Request<{ type: 'till.read' }, number>
  | Request<{ type: 'till.close' }, number>

interface TillContext {
  readonly cents: number
}

const replies = reply<TillEvent, TillContext>()

const tillMachine = setup({
  types: { context: {} as TillContext, events: {} as TillEvent },
  actions: {
    take: assign({
      cents: ({ context, event }) => context.cents + (event.type === 'till.pay' ? event.cents : 0),
    }),
    receipt: replies('till.pay', ({ context }) => context.cents),
    tell: replies('till.read', ({ context }) => context.cents),
    keepWaiting: scope => void replyToken(scope),
  },
}).createMachine({
  id: 'till',
  context: { cents: 0 },
  on: {
    'till.pay': { actions: ['take', 'receipt'] },
    'till.read': { actions: 'tell' },
    'till.close': { actions: 'keepWaiting' },
  },
})

export const till = defineActor(import.meta.url, 'till', { machine: tillMachine, checkpointEveryMs: 0 })
