/** An actor that measures the restarts of another one from where it lives. */
import { assign, setup } from 'xstate'
import type { ActorRuntime } from '../../src/actors/runtime/actor-runtime.ts'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { Request } from '../../src/actors/runtime/requests.ts'
import { type ReplyToken, replyTo, replyToken } from '../../src/actors/runtime/runtime-actions.ts'
import { sample } from './actor.ts'

/** What a driver takes. A run is answered with the milliseconds of each round. */
export type DriverEvent =
  | Request<{ type: 'driver.restarts'; to: string; count: number }, number[]>
  | { type: 'driver.done'; times: number[] }

interface DriverContext {
  token: ReplyToken | undefined
}

const timeoutMs = 10_000

/** From the order to fail to the answer of the next incarnation. */
async function restarts(runtime: ActorRuntime, to: string, count: number): Promise<number[]> {
  const times: number[] = []
  const event = { type: 'sink.echo', sample: sample(0) }
  for (let number = 0; number < count; number++) {
    const from = performance.now()
    runtime.send(to, { type: 'sink.crash' })
    while (!(await isAnswered(runtime, to, event)));
    times.push(performance.now() - from)
    await new Promise(resolve => setImmediate(resolve))
  }
  return times
}

function isAnswered(runtime: ActorRuntime, to: string, event: { type: string }): Promise<boolean> {
  return runtime.ask(to, event, { timeoutMs }).then(
    () => true,
    () => false,
  )
}

const driverMachine = setup({
  types: {} as { context: DriverContext; events: DriverEvent },
  actions: {
    keep: assign({ token: scope => replyToken(scope) }),
    run: () => {},
    finish: replyTo<DriverEvent, DriverContext>()('driver.restarts', ({ context, event }) =>
      context.token === undefined || event.type !== 'driver.done'
        ? undefined
        : { token: context.token, value: event.times },
    ),
  },
}).createMachine({
  id: 'driver',
  context: { token: undefined },
  on: {
    'driver.restarts': { actions: ['keep', 'run'] },
    'driver.done': { actions: 'finish' },
  },
})

export const driver = defineActor(import.meta.url, 'driver', {
  machine: driverMachine,
  provide: runtime => ({
    actions: {
      run: ({ event }: { event: DriverEvent }) => {
        if (event.type !== 'driver.restarts') return
        restarts(runtime, event.to, event.count).then(
          times => runtime.feed({ type: 'driver.done', times } as DriverEvent),
          error => runtime.fail(error),
        )
      },
    },
  }),
})
