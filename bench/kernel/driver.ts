/** An actor that measures from where it lives: asks of other actors, and their restarts. */
import { assign, setup } from 'xstate'
import type { ActorRuntime } from '../../src/actors/runtime/actor-runtime.ts'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { Request } from '../../src/actors/runtime/requests.ts'
import { type ReplyToken, replyTo, replyToken } from '../../src/actors/runtime/runtime-actions.ts'
import { sample } from './actor.ts'

type Run = { type: 'driver.asks'; to: string; count: number } | { type: 'driver.restarts'; to: string; count: number }

/** What a driver takes. Each run is answered with the milliseconds of each round. */
export type DriverEvent =
  | Request<{ type: 'driver.asks'; to: string; count: number }, number[]>
  | Request<{ type: 'driver.restarts'; to: string; count: number }, number[]>
  | { type: 'driver.done'; times: number[] }

interface DriverContext {
  token: ReplyToken | undefined
}

const timeoutMs = 10_000

async function asks(runtime: ActorRuntime, to: string, count: number): Promise<number[]> {
  const times: number[] = []
  for (let number = 0; number < count; number++) {
    const event = { type: 'sink.echo', sample: sample(number) }
    const from = performance.now()
    await runtime.ask(to, event, { timeoutMs })
    times.push(performance.now() - from)
  }
  return times
}

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
    finish: replyTo<DriverEvent, DriverContext>()('driver.asks', ({ context, event }) =>
      context.token === undefined || event.type !== 'driver.done'
        ? undefined
        : { token: context.token, value: event.times },
    ),
  },
}).createMachine({
  id: 'driver',
  context: { token: undefined },
  on: {
    'driver.asks': { actions: ['keep', 'run'] },
    'driver.restarts': { actions: ['keep', 'run'] },
    'driver.done': { actions: 'finish' },
  },
})

export const driver = defineActor(import.meta.url, 'driver', {
  machine: driverMachine,
  provide: runtime => ({
    actions: {
      run: ({ event }: { event: DriverEvent }) => {
        const { type, to, count } = event as Run
        const work = type === 'driver.asks' ? asks(runtime, to, count) : restarts(runtime, to, count)
        work.then(
          times => runtime.feed({ type: 'driver.done', times } as DriverEvent),
          error => runtime.fail(error),
        )
      },
    },
  }),
})
