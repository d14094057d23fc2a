/** Charts that use every feature the compiler supports, small enough to read. */
import { type AnyEventObject, assign, createMachine, raise, setup } from 'xstate'

type LinkEvent =
  | { readonly type: 'dial' | 'accept' | 'close' | 'reset' | 'ping' }
  | { readonly type: 'data'; readonly bytes: number }

/** A connection: nested states, root transitions, named delays, a record that actions mutate, and outputs. */
export const linkMachine = setup({
  types: {} as {
    context: { bytes: number; pings: number; retries: number; idleMs: number; notes: string[] }
    events: LinkEvent
    input: { readonly idleMs: number }
    output: { readonly bytes: number }
  },
  actions: {
    note: ({ context, event }, params: { readonly tag: string }) => {
      if (context.notes.length < 50) context.notes.push(`${params.tag} ${event.type}`)
    },
    count: ({ context, event }) => {
      if (event.type === 'data') context.bytes += event.bytes
    },
    retry: assign({ retries: ({ context }) => context.retries + 1 }),
    reset: assign(({ context }, params: { readonly keep: number }) => ({
      retries: 0,
      bytes: context.bytes * params.keep,
    })),
  },
  guards: {
    mayRetry: ({ context }) => context.retries < 3,
    isLarge: ({ event }, params: { readonly bytes: number }) => event.type === 'data' && event.bytes > params.bytes,
    isFull: ({ context }) => context.bytes > 2_000,
  },
  delays: { idle: ({ context }) => context.idleMs, dialTimeout: 300 },
}).createMachine({
  id: 'link',
  context: ({ input }) => ({ bytes: 0, pings: 0, retries: 0, idleMs: input.idleMs, notes: [] }),
  initial: 'closed',
  entry: { type: 'note', params: { tag: 'start' } },
  exit: { type: 'note', params: { tag: 'end' } },
  on: {
    close: { target: '.ended', actions: { type: 'note', params: ({ event }) => ({ tag: `root ${event.type}` }) } },
    ping: { actions: assign({ pings: ({ context }) => context.pings + 1 }) },
  },
  states: {
    closed: { on: { dial: 'dialing', accept: 'open' } },
    dialing: {
      after: {
        dialTimeout: [{ guard: 'mayRetry', target: 'dialing', reenter: true, actions: 'retry' }, { target: 'ended' }],
      },
      on: { accept: { target: 'open', actions: { type: 'reset', params: { keep: 1 } } } },
    },
    open: {
      initial: 'reading',
      entry: { type: 'note', params: { tag: 'in' } },
      exit: { type: 'note', params: { tag: 'out' } },
      after: { idle: '.draining' },
      always: { guard: 'isFull', target: 'ended' },
      on: { reset: { target: 'open', reenter: true }, accept: { target: '.reading' }, dial: undefined },
      states: {
        reading: {
          on: {
            data: [
              { guard: { type: 'isLarge', params: { bytes: 700 } }, target: 'paused', actions: 'count' },
              { actions: ['count', raise({ type: 'ping' })] },
            ],
          },
        },
        paused: { after: { 50: 'reading', 120: '#link.ended' }, on: { '*': { actions: 'count' } } },
        draining: { after: { 10: 'drained' } },
        drained: { type: 'final', output: ({ context }) => context.bytes },
      },
      onDone: { target: 'ended', actions: { type: 'note', params: ({ event }) => ({ tag: String(event.output) }) } },
    },
    ended: { type: 'final' },
  },
  output: ({ context }) => ({ bytes: context.bytes }),
})

/** Events to walk the link with. */
export const linkEvents = [
  { type: 'dial' },
  { type: 'accept' },
  { type: 'accept' },
  { type: 'ping' },
  { type: 'reset' },
  { type: 'unheard' },
  (random: () => number) => ({ type: 'data', bytes: Math.floor(random() * 1_000) }),
  (random: () => number) => ({ type: random() < 0.2 ? 'close' : 'data', bytes: 100 }),
]

interface Tally {
  readonly plays: number
  readonly skips: number
  readonly last: string
}

/** Parallel regions that enter in changing order, act on the same events, meet in `always`, and end together. */
export const playerMachine = createMachine({
  id: 'player',
  type: 'parallel',
  types: {} as { context: Tally },
  context: { plays: 0, skips: 0, last: '' },
  states: {
    track: {
      initial: 'stopped',
      states: {
        stopped: { on: { play: 'playing' }, entry: noted('track stopped') },
        playing: {
          entry: [assign({ plays: ({ context }) => context.plays + 1 }), noted('track playing')],
          exit: noted('track left'),
          on: { play: { target: 'playing', reenter: true }, skip: [{ guard: isEven, target: 'stopped' }, 'over'] },
          after: { 100: { target: 'stopped', actions: raise({ type: 'skip' }) } },
          always: { guard: ({ context }) => context.plays % 3 === 0, target: 'stopped', actions: noted('track tired') },
        },
        over: { type: 'final' },
      },
      onDone: { actions: noted('track done') },
    },
    volume: {
      initial: 'normal',
      states: {
        normal: { on: { play: 'loud', skip: { actions: noted('normal skip') } }, exit: noted('normal left') },
        loud: {
          on: { play: 'normal', skip: { guard: isEven, target: 'muted' } },
          always: { guard: ({ context }) => context.plays % 3 === 0, target: 'muted', actions: noted('volume tired') },
        },
        muted: {
          on: { skip: 'normal', over: 'off', reset: [{ target: ['#player.volume.loud', '#player.track.playing'] }] },
        },
        off: { type: 'final' },
      },
    },
  },
  on: { reset: { target: ['.track.playing', '.volume.loud'] }, restart: { target: '#player', reenter: true } },
  output: 'both ended',
})

/** Events to walk the player with. */
export const playerEvents = ['play', 'play', 'skip', 'skip', 'over', 'reset', 'restart', 'unheard'].map(type => ({
  type,
}))

function noted(what: string) {
  return assign<Tally, AnyEventObject, undefined, AnyEventObject, never>(({ context }) => ({
    skips: context.skips + 1,
    last: what,
  }))
}

function isEven({ context }: { context: Tally }): boolean {
  return context.skips % 2 === 0
}
