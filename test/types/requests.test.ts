/**
 * Proofs that are checked by tsc (an error that is expected and does not come is an error) and run, so that they hold for
 * the library's own types and not for a copy of them.
 */
import t from 'tap'
import { setup } from 'xstate'
import {
  type ActorRef,
  createSystem,
  createVirtualClock,
  defineActor,
  message,
  type ReplyOf,
  type ReplyToken,
  type Request,
  reply,
  replyTo,
  type System,
} from '../../src/index.ts'
import { quiet } from '../supervisor/fixtures/local-system.ts'

type ProbeEvent =
  | { type: 'probe.pause' }
  | { type: 'probe.limit'; perSecond: number }
  | Request<{ type: 'probe.status' }, { up: boolean }>
  | Request<{ type: 'probe.history'; last: number }, readonly number[]>

interface ProbeContext {
  readonly up: boolean
  readonly token: ReplyToken | undefined
}

const replies = reply<ProbeEvent, ProbeContext>()
const later = replyTo<ProbeEvent, ProbeContext>()

const probeMachine = setup({
  types: { context: {} as ProbeContext, events: {} as ProbeEvent, input: {} as { peer: string } },
  actions: {
    tell: replies('probe.status', ({ context }) => ({ up: context.up })),
    tellHistory: replies('probe.history', ({ event }) => [event.last]),
    // @ts-expect-error no request of that name
    misspelt: replies('probe.statsu', () => ({ up: true })),
    // @ts-expect-error the reply has another type
    wrong: replies('probe.status', () => ({ up: 'yes' })),
    // @ts-expect-error a command is not answered
    command: replies('probe.pause', () => undefined),
    // @ts-expect-error a later reply has the type of its request too
    wrongLater: later('probe.status', ({ context }) => ({ token: context.token!, value: 1 })),
    rightLater: later('probe.status', ({ context }) => ({ token: context.token!, value: { up: context.up } })),
  },
}).createMachine({
  context: { up: true, token: undefined },
  on: {
    'probe.status': { actions: 'tell' },
    'probe.history': { actions: 'tellHistory' },
  },
})

setup({ types: { events: {} as ProbeEvent }, actions: { known: () => {} } }).createMachine({
  on: {
    // @ts-expect-error the chart names no such action
    'probe.pause': { actions: 'unknown' },
  },
})

const probe = defineActor(import.meta.url, 'probe', { machine: probeMachine })
const bare = defineActor(import.meta.url, 'bare', { machine: setup({}).createMachine({}) })

/** True when the two are the very same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type IsAny<T> = 0 extends 1 & T ? true : false

function holds<T extends true>(_proof: T): void {}
function fails<T extends false>(_proof: T): void {}

async function withProbe(work: (system: System, ref: ActorRef<typeof probe>) => Promise<void>): Promise<void> {
  await using system = await createSystem({ shards: 0, clock: createVirtualClock(), logger: quiet })
  await work(system, await system.spawn(probe, { id: 'p', input: { peer: 'n2' } }))
}

/** Compiled, and refused there; at run time it would come to nothing, or to an error that is not looked at. */
function never(_work: () => unknown): void {}

t.test('a command is sent with exactly its fields', () =>
  withProbe(async (_system, ref) => {
    ref.send({ type: 'probe.pause' })
    ref.send({ type: 'probe.limit', perSecond: 3 })
    ref.sendAfter({ type: 'probe.pause' }, 10)
    // @ts-expect-error no such event
    never(() => ref.send({ type: 'probe.stop' }))
    // @ts-expect-error a field is missing
    never(() => ref.send({ type: 'probe.limit' }))
    // @ts-expect-error a field has another type
    never(() => ref.send({ type: 'probe.limit', perSecond: '3' }))
    // @ts-expect-error a field too many
    never(() => ref.send({ type: 'probe.pause', now: true }))
    // @ts-expect-error a request that is sent would lose its reply
    never(() => ref.send({ type: 'probe.status' }))
    // @ts-expect-error nor can it be sent later
    never(() => ref.sendAfter({ type: 'probe.status' }, 10))
  }),
)

t.test('a request is asked with exactly its fields and a deadline, and the reply has its type', t =>
  withProbe(async (_system, ref) => {
    const status = await ref.ask({ type: 'probe.status' }, { timeoutMs: 10 })
    holds<Same<typeof status, { up: boolean }>>(true)
    t.same(status, { up: true })
    const history = await ref.ask({ type: 'probe.history', last: 2 }, { timeoutMs: 10 })
    holds<Same<typeof history, readonly number[]>>(true)
    t.same(history, [2])
    // @ts-expect-error the reply has no such field
    t.equal(status.down, undefined)
    // @ts-expect-error a command cannot be asked
    never(() => ref.ask({ type: 'probe.pause' }, { timeoutMs: 10 }))
    // @ts-expect-error no such request
    never(() => ref.ask({ type: 'probe.statsu' }, { timeoutMs: 10 }))
    // @ts-expect-error a field is missing
    never(() => ref.ask({ type: 'probe.history' }, { timeoutMs: 10 }))
    // @ts-expect-error a field too many
    never(() => ref.ask({ type: 'probe.status', last: 1 }, { timeoutMs: 10 }))
    // @ts-expect-error no deadline
    never(() => ref.ask({ type: 'probe.status' }))
    // @ts-expect-error nor options without one
    never(() => ref.ask({ type: 'probe.status' }, {}))
  }),
)

t.test('an actor is spawned with the input that its chart declares, and only with it', t =>
  withProbe(async (system, ref) => {
    await system.spawn(bare, { id: 'bare' })
    // @ts-expect-error the input is missing
    never(() => system.spawn(probe, { id: 'q' }))
    // @ts-expect-error the input has another type
    never(() => system.spawn(probe, { id: 'q', input: { peer: 2 } }))
    // @ts-expect-error an option that is not one
    never(() => system.spawn(probe, { id: 'q', input: { peer: 'n' }, restrat: 'permanent' }))
    // @ts-expect-error this one takes none
    never(() => system.spawn(bare, { id: 'q', input: { peer: 'n' } }))
    const again = system.ref(probe, 'p')
    holds<Same<typeof again, typeof ref>>(true)
    // @ts-expect-error a ref of one definition is not one of another
    const other: ActorRef<typeof bare> = again
    t.equal(other.address, 'p')
  }),
)

t.test('messages of charts are checked against the definition they are for', async t => {
  t.same(message(probe, 'p', { type: 'probe.limit', perSecond: 1 }), {
    to: 'p',
    event: { type: 'probe.limit', perSecond: 1 },
  })
  // @ts-expect-error no such event
  never(() => message(probe, 'p', { type: 'probe.stop' }))
  // @ts-expect-error a request cannot be sent
  never(() => message(probe, 'p', { type: 'probe.status' }))
  // @ts-expect-error a field is missing
  never(() => message(probe, 'p', { type: 'probe.limit' }))
})

t.test('no any reaches the user', t =>
  withProbe(async (system, ref) => {
    type Ask = Awaited<ReturnType<typeof ref.ask<'probe.status'>>>
    type Send = Parameters<typeof ref.send>[0]
    type Inspected = Awaited<ReturnType<typeof ref.inspect>>
    type Listener = Parameters<Parameters<typeof system.watch>[1]>[0]
    fails<IsAny<Ask>>(false)
    fails<IsAny<Send>>(false)
    fails<IsAny<Inspected>>(false)
    fails<IsAny<NonNullable<Inspected>['context']>>(false)
    fails<IsAny<Listener>>(false)
    fails<IsAny<Listener['reason']>>(false)
    fails<IsAny<ReplyOf<ProbeEvent, 'probe.history'>>>(false)
    fails<IsAny<ReplyOf<ProbeEvent, 'probe.pause'>>>(false)
    const inspection = system.inspect()
    inspection.close()
    for await (const fact of inspection) {
      fails<IsAny<typeof fact>>(false)
      fails<IsAny<(typeof fact)['kind']>>(false)
    }
    t.pass('compiled')
  }),
)
