/** An actor that asks another one, and takes the time; bare round trips between the same threads in turn with its asks. */
import { assign, setup } from 'xstate'
import type { ActorRuntime } from '../../src/actors/runtime/actor-runtime.ts'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { Request } from '../../src/actors/runtime/requests.ts'
import { type ReplyToken, replyTo, replyToken } from '../../src/actors/runtime/runtime-actions.ts'
import { sample } from './actor.ts'
import { type BareAsks, openBareAsks } from './baseline-ask.ts'
import { type AskTimes, interleaveAsks } from './interleaved-asks.ts'

/** What an asker takes: so many rows of asks of `to`, whose thread is `thread`. */
export type AskerEvent =
  | Request<{ type: 'asker.run'; to: string; thread: number; rows: number }, AskTimes>
  | { type: 'asker.done'; times: AskTimes }

interface AskerContext {
  token: ReplyToken | undefined
}

const timeoutMs = 10_000
const bareAsks = new Map<number, Promise<BareAsks>>()

async function run(runtime: ActorRuntime, to: string, thread: number, rows: number): Promise<AskTimes> {
  const opened = bareAsks.get(thread) ?? openBareAsks(thread)
  bareAsks.set(thread, opened)
  const ask = (number: number) => runtime.ask(to, { type: 'sink.echo', sample: sample(number) }, { timeoutMs })
  return interleaveAsks(ask, await opened, rows)
}

const askerMachine = setup({
  types: {} as { context: AskerContext; events: AskerEvent },
  actions: {
    keep: assign({ token: scope => replyToken(scope) }),
    run: () => {},
    finish: replyTo<AskerEvent, AskerContext>()('asker.run', ({ context, event }) =>
      context.token === undefined || event.type !== 'asker.done'
        ? undefined
        : { token: context.token, value: event.times },
    ),
  },
}).createMachine({
  id: 'asker',
  context: { token: undefined },
  on: {
    'asker.run': { actions: ['keep', 'run'] },
    'asker.done': { actions: 'finish' },
  },
})

export const asker = defineActor(import.meta.url, 'asker', {
  machine: askerMachine,
  provide: runtime => ({
    actions: {
      run: ({ event }: { event: AskerEvent }) => {
        if (event.type !== 'asker.run') return
        run(runtime, event.to, event.thread, event.rows).then(
          times => runtime.feed({ type: 'asker.done', times } as AskerEvent),
          error => runtime.fail(error),
        )
      },
    },
  }),
})
