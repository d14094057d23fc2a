import t from 'tap'
import { setup } from 'xstate'
import { child } from '../../src/actors/runtime/child.ts'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import { resolveSupervisorSpec } from '../../src/supervisor/spec-check.ts'
import { createStartCounts, lostCounts, noteStart } from '../../src/supervisor/start-counts.ts'

const probe = defineActor('file:///probe.ts', 'probe', { machine: setup({}).createMachine({}) })
const spec = resolveSupervisorSpec({
  id: 'node/tree',
  children: [child(probe, { id: 'a' }), { id: 'inner', children: [child(probe, { id: 'b' })] }],
})

t.test('a tree is counted as far as its spec goes, and no further', async t => {
  const counts = createStartCounts('node/tree', spec)
  t.same([...counts.keys()], ['node/tree', 'node/tree/a', 'node/tree/inner', 'node/tree/inner/b'])
  const countsOf = (top: string) => (top === 'node/tree' ? counts : undefined)
  noteStart(countsOf, 'node/tree/inner/b', 3)
  noteStart(countsOf, 'node/tree', 2)
  for (const address of ['node/tree/added', 'node/other', 'node', 'node/treehouse']) noteStart(countsOf, address, 9)
  t.same([...counts.values()], [2, 0, 0, 3])
})

t.test('what was never told of has started once when its worker is lost', async t => {
  const counts = createStartCounts('node/tree', spec)
  counts.set('node/tree/a', 4)
  const lost = lostCounts(counts)
  t.same([...lost.values()], [1, 4, 1, 1])
  t.same([...counts.values()], [0, 4, 0, 0], 'the counts themselves stay')
})
