/** The actors that take what is measured: one flat chart, run by the compiled and by the live engine. */
import { setup } from 'xstate'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { Request } from '../../src/actors/runtime/requests.ts'
import { reply } from '../../src/actors/runtime/runtime-actions.ts'
import type { Sample } from './actor.ts'
import { answerBareAsks } from './baseline-ask.ts'
import { sampleCodec } from './sample-codec.ts'

/**
 * What a sink takes: a sample to count, a request to send one back, one to let its thread answer on bare ports (with the
 * number of the thread), an order to fail.
 */
export type SinkEvent =
  | Sample
  | Request<{ type: 'sink.echo'; sample: Sample }, Sample>
  | Request<{ type: 'sink.openPorts' }, number>
  | { type: 'sink.crash' }

/** Where all sinks of one thread count what they handled, in steps of {@link countEvery}. */
export interface SinkInput {
  readonly handled?: SharedArrayBuffer
}

interface SinkContext {
  samples: number
  slow: number
  readonly handled: Int32Array | undefined
}

/** Messages between two looks at the shared counter. */
export const countEvery = 256

let count = 0
const replies = reply<SinkEvent, SinkContext>()

const sinkMachine = setup({
  types: {} as { context: SinkContext; events: SinkEvent; input: SinkInput },
  actions: {
    count: ({ context }) => {
      context.samples += 1
      if ((++count & (countEvery - 1)) === 0 && context.handled !== undefined) Atomics.store(context.handled, 0, count)
    },
    echo: replies('sink.echo', ({ event }) => event.sample),
    openPorts: replies('sink.openPorts', () => answerBareAsks()),
    crash: () => {
      throw new Error('told to crash')
    },
  },
  guards: { inTime: ({ event }) => event.type === 'probe.sample' && event.rttMs <= 1_000 },
}).createMachine({
  id: 'sink',
  context: ({ input }) => ({
    samples: 0,
    slow: 0,
    handled: input?.handled === undefined ? undefined : new Int32Array(input.handled),
  }),
  initial: 'open',
  states: {
    open: {
      on: {
        'probe.sample': { guard: 'inTime', actions: 'count' },
        'sink.echo': { actions: 'echo' },
        'sink.openPorts': { actions: 'openPorts' },
        'sink.crash': { actions: 'crash' },
      },
    },
  },
})

export const sink = defineActor(import.meta.url, 'sink', { machine: sinkMachine, engine: 'compiled' })
export const liveSink = defineActor(import.meta.url, 'liveSink', { machine: sinkMachine })
export const codedSink = defineActor(import.meta.url, 'codedSink', {
  machine: sinkMachine,
  engine: 'compiled',
  codecs: [sampleCodec],
})
