/** What the main thread has found out about the charts of the kernel goes to its workers. */
import t from 'tap'
import { createMachine } from 'xstate'
import { adoptFindings, kernelChart, kernelFindings } from '../../src/supervisor/kernel-charts.ts'
import { startLocal } from './fixtures/local-system.ts'

t.test('a thread whose kernel runs knows the charts that every kernel runs', async t => {
  const { system } = await startLocal(t)
  t.same([...kernelFindings().keys()].sort(), ['child', 'spawns'])
  await system.supervise({ id: 'tree' })
  const findings = kernelFindings()
  t.same([...findings.keys()].sort(), ['child', 'spawns', 'supervisor'], 'that of supervisors once it runs one')
  t.same(structuredClone(findings), findings, 'in a form that can be posted')
})

t.test('what was adopted is not explored again', async t => {
  const machine = (id: string) => createMachine({ id, initial: 'still', states: { still: {} } })
  kernelChart(machine('one'))
  const { configurations, ...rest } = kernelFindings().get('one')!
  adoptFindings(new Map([['other', { ...rest, configurations: configurations.map(c => ({ ...c, text: 'adopted' })) }]]))
  t.same(kernelChart(machine('other')).configurations, ['adopted'])
  t.same(kernelChart(machine('third')).configurations, ['still'])
})
