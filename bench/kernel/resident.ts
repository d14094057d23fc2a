/** What lives on a shard that is lost: an actor of the package as it is built. */
import { setup } from 'xstate'
import type { Request } from '../../src/actors/runtime/requests.ts'

const runtime = new URL('../../dist/actors/runtime/', import.meta.url)
const { defineActor }: typeof import('../../src/actors/runtime/define-actor.ts') = await import(
  new URL('define-actor.js', runtime).href
)
const { reply }: typeof import('../../src/actors/runtime/runtime-actions.ts') = await import(
  new URL('runtime-actions.js', runtime).href
)

/** Answered with what it counted. */
export type ResidentEvent = Request<{ type: 'resident.answer' }, number>

interface ResidentContext {
  answers: number
}

export const resident = defineActor(import.meta.url, 'resident', {
  machine: setup({
    types: {} as { context: ResidentContext; events: ResidentEvent },
    actions: {
      answer: reply<ResidentEvent, ResidentContext>()('resident.answer', ({ context }) => ++context.answers),
    },
    guards: { mayAnswer: ({ context }) => context.answers < Number.MAX_SAFE_INTEGER },
  }).createMachine({
    id: 'resident',
    context: () => ({ answers: 0 }),
    initial: 'open',
    states: { open: { on: { 'resident.answer': { guard: 'mayAnswer', actions: 'answer' } } } },
  }),
  engine: 'compiled',
})
