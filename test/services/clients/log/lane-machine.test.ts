/** The chart of a lane: compiled it does what it does live. */
import t from 'tap'
import { laneMachine } from '../../../../src/services/clients/log/producer/lane-machine.ts'
import { assertChartAgrees } from '../../../actors/runtime/chart-equivalence.ts'

const events = ['batch.failed', 'batch.failed', 'batch.failed', 'lane.settled', 'lane.settled', 'lane.close'].map(
  type => ({
    type,
  }),
)

t.test('compiled and live agree on every branch and on seeded walks', async t => {
  for (const hasInFlight of [true, false]) {
    const agreement = assertChartAgrees(t, laneMachine, { input: () => ({ hasInFlight, pauseMs: 20 }), events })
    t.equal(agreement.configurations, 4)
  }
})
