/** The chart of a pooled connection: compiled it does what it does live, and no state waits for ever. */
import t from 'tap'
import type { StateNode } from 'xstate'
import { pooledConnectionMachine } from '../../../src/services/clients/pooled-connection-machine.ts'
import { assertChartAgrees } from '../../actors/runtime/chart-equivalence.ts'

const events = [
  'connection.dial',
  'connection.drain',
  'connection.destroy',
  'link.opened',
  'link.opened',
  'link.ended',
  'greeting.answered',
  'greeting.answered',
  'greeting.refused',
].map(type => ({ type }))

const watchLeftMs = () => 40
const backoffMs = () => 10

function facts() {
  return {
    connectTimeoutMs: 30,
    drainTimeoutMs: 20,
    watchLeftMs,
    backoffMs,
    isSilent: false,
    isIdle: false,
    isClosing: false,
    mustBackOff: true,
  }
}

t.test('compiled and live agree on every branch and on seeded walks', async t => {
  const agreement = assertChartAgrees(t, pooledConnectionMachine, { input: facts, events })
  t.equal(agreement.configurations, 8)
})

t.test('every state that waits for a server has a way out by time', async t => {
  const states = pooledConnectionMachine.root.states as unknown as Record<string, StateNode>
  const timed = Object.values(states).filter(state => state.after.length > 0 || hasTimedChild(state))
  t.same(timed.map(({ key }) => key).sort(), ['backingOff', 'connecting', 'draining', 'up'])
  t.same(
    Object.keys(states).sort(),
    ['backingOff', 'closed', 'connecting', 'draining', 'idle', 'resting', 'up'],
    'the others do not wait: idle is asked, resting is passed, closed is the end',
  )
})

function hasTimedChild(state: StateNode): boolean {
  return Object.values(state.states).some(child => child.after.length > 0)
}
