/** The connection chart: compiled it does what it does live, and its states keep the promises that the I/O relies on. */
import t from 'tap'
import type { StateNode } from 'xstate'
import { connectionChart } from '../../../src/actors/connection/chart.ts'
import { connectionMachine } from '../../../src/actors/connection/machine.ts'
import { serverLimitDefaults } from '../../../src/messages/limits.ts'
import { assertChartAgrees } from '../runtime/chart-equivalence.ts'

const events = [
  'tls.secured',
  'request.awaited',
  'header.begun',
  'body.begun',
  'handlers.awaited',
  'requests.full',
  'output.blocked',
  'work.finished',
  'output.finished',
  'fault.answered',
  'peer.ended',
  'socket.closed',
  'connection.drain',
].map(type => ({ type }))

t.test('compiled and live agree on every branch and on seeded walks', async t => {
  const plane = { limits: serverLimitDefaults, nowMs: () => 0, secure: true }
  const agreement = assertChartAgrees(t, connectionMachine, {
    input: () => ({
      plane,
      mode: 'serving',
      inFlight: 0,
      peerEnded: false,
      partial: undefined,
      activeAtMs: 0,
      drainedAtMs: -1,
      waitingOutputBytes: 0,
    }),
    events,
  })
  t.ok(agreement.configurations >= 14)
})

/** One that is left in the step that enters it. */
const isTransient = ({ always }: StateNode): boolean => always?.at(-1)?.guard === undefined && always !== undefined

t.test('every state but the last has a way out by time, and sets no more than one timer', async t => {
  const walk = (node: StateNode, timers: number): void => {
    const own = timers + (node.after.length > 0 ? 1 : 0)
    const children = Object.values(node.states)
    for (const child of children) walk(child as StateNode, own)
    if (children.length > 0 || node.type === 'final' || isTransient(node)) return
    t.equal(own, 1, node.path.join('.'))
  }
  walk(connectionMachine.root as unknown as StateNode, 0)
})

t.test('it compiles once for each thread', async t => {
  t.equal(connectionChart(), connectionChart())
  t.ok(connectionChart().configurations.includes('closing.lingering'))
})
