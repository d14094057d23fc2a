/**
 * Proofs that the specs of children are checked against the definitions they name: compiled (an error that is expected
 * and does not come is an error) and run, so that they hold for the library's own types.
 */
import t from 'tap'
import { setup } from 'xstate'
import {
  type ActorSpec,
  type ChildSpec,
  child,
  createSystem,
  createVirtualClock,
  defineActor,
  type SupervisorRef,
  type SupervisorSpec,
  type System,
  spawn,
  type TreeSpec,
} from '../../src/index.ts'
import { quiet } from '../supervisor/fixtures/local-system.ts'

interface ProbeInput {
  readonly peer: string
  readonly everyMs?: number
}

const probe = defineActor(import.meta.url, 'probe', {
  machine: setup({ types: { input: {} as ProbeInput } }).createMachine({}),
})
const tolerant = defineActor(import.meta.url, 'tolerant', {
  machine: setup({ types: { input: {} as ProbeInput | undefined } }).createMachine({}),
})
const bare = defineActor(import.meta.url, 'bare', { machine: setup({}).createMachine({}) })

/** Compiled, and refused there; at run time it would come to nothing, or to an error that is not looked at. */
function never(_work: () => unknown): void {}

async function withSystem(work: (system: System, tree: SupervisorRef) => Promise<void>): Promise<void> {
  await using system = await createSystem({ shards: 0, clock: createVirtualClock(), logger: quiet })
  await work(system, await system.supervise({ id: 'top' }))
}

t.test('a child is specified with the input that its chart declares, and only with it', t =>
  withSystem(async (_system, tree) => {
    await tree.startChild(child(probe, { id: 'a', input: { peer: 'n2' } }))
    await tree.startChild(child(probe, { id: 'b', input: { peer: 'n2', everyMs: 5 }, restart: 'transient' }))
    await tree.startChild(child(tolerant, { id: 'c' }))
    await tree.startChild(child(bare, { id: 'd', shard: 'main', mailbox: { messagesMax: 5 } }))
    // @ts-expect-error the input is missing
    never(() => child(probe, { id: 'e' }))
    // @ts-expect-error the input has another type
    never(() => child(probe, { id: 'e', input: { peer: 2 } }))
    // @ts-expect-error a field of the input is missing
    never(() => child(probe, { id: 'e', input: {} }))
    // @ts-expect-error a field too many
    never(() => child(probe, { id: 'e', input: { peer: 'n2', port: 1 } }))
    // @ts-expect-error this one takes none
    never(() => child(bare, { id: 'e', input: { peer: 'n2' } }))
    // @ts-expect-error the id is missing
    never(() => child(bare, { restart: 'permanent' }))
    // @ts-expect-error no such restart
    never(() => child(bare, { id: 'e', restart: 'always' }))
    // @ts-expect-error an option that is not one
    never(() => child(bare, { id: 'e', restrat: 'permanent' }))
    // @ts-expect-error the bound of a mailbox is messagesMax
    never(() => child(bare, { id: 'e', mailbox: { capacity: 5 } }))
    // @ts-expect-error a child has one place; every is for spawn
    never(() => child(bare, { id: 'e', shard: 'every' }))
    // @ts-expect-error what defineActor did not make is no definition
    never(() => child({ moduleUrl: 'file:///x.ts', exportName: 'x' }, { id: 'e' }))
    t.equal((await tree.countChildren()).active, 4)
  }),
)

t.test('an actor is specified by child alone, at every depth of a tree', t =>
  withSystem(async (system, tree) => {
    const leaf = child(probe, { id: 'leaf', input: { peer: 'n2' } })
    const inner: SupervisorSpec = { id: 'inner', strategy: 'one_for_all', children: [leaf] }
    const spec: TreeSpec = { id: 'tree', children: [leaf, inner, { id: 'low', children: [inner] }] }
    const started = await system.supervise(spec)
    t.match(await system.tree({ under: 'tree/low' }), [{}, {}, { address: 'tree/low/inner/leaf' }])
    await started.startChild({ id: 'late', children: [leaf] })
    t.equal((await started.countChildren()).active, 4)

    // @ts-expect-error a literal is not checked against its definition
    never(() => tree.startChild({ id: 'a', definition: bare }))
    // @ts-expect-error nor is one with an input
    never(() => tree.startChild({ id: 'a', definition: probe, input: { peer: 2 } }))
    // @ts-expect-error nor one in a tree
    never(() => system.supervise({ children: [{ id: 'a', definition: probe, input: { peer: 2 } }] }))
    // @ts-expect-error nor one deep in a tree
    never(() => system.supervise({ children: [{ id: 'i', children: [{ id: 'a', definition: probe }] }] }))
    const literals = [1, 2].map(n => ({ id: `${n}`, definition: bare }))
    // @ts-expect-error nor those that were made elsewhere
    never(() => system.supervise({ children: literals }))
    // @ts-expect-error the input is missing, deep in a tree
    never(() => system.supervise({ children: [{ id: 'i', children: [child(probe, { id: 'a' })] }] }))
  }),
)

t.test('a supervisor takes the options of a supervisor', t =>
  withSystem(async (system, tree) => {
    // @ts-expect-error it takes no input
    never(() => tree.startChild({ id: 'a', children: [], input: 1 }))
    // @ts-expect-error a place that there is none of
    never(() => tree.startChild({ id: 'a', children: [], shard: 'every' }))
    // @ts-expect-error a misspelt option
    never(() => tree.startChild({ id: 'a', stratgy: 'one_for_all', children: [] }))
    // @ts-expect-error a misspelt option of a supervisor in a tree
    never(() => system.supervise({ children: [{ id: 'a', intensty: 3 }] }))
    // @ts-expect-error no such strategy
    never(() => system.supervise({ strategy: 'all_for_one' }))
    // @ts-expect-error the top of a tree has nobody to be significant to
    never(() => system.supervise({ significant: true }))
    t.equal((await tree.countChildren()).specs, 0)
  }),
)

t.test('a chart starts what child specifies', async t => {
  const specs: ChildSpec[] = [child(bare, { id: 'a' })]
  const made: ActorSpec = child(probe, { id: 'b', input: { peer: 'n2' } })
  t.type(
    spawn(() => made),
    'function',
  )
  t.equal(specs[0]?.id, 'a')
  // @ts-expect-error a literal is not checked against its definition
  never(() => spawn(() => ({ id: 'a', definition: bare })))
  // @ts-expect-error a supervisor is not for charts
  never(() => spawn(() => ({ id: 'a', children: [] })))
})
