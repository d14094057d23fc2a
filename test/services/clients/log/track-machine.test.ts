/** The chart of a track: compiled it does what it does live, and only what has a deadline of its own waits without a timer. */
import t from 'tap'
import { trackMachine } from '../../../../src/services/clients/log/consumer/track-machine.ts'
import { assertChartAgrees } from '../../../actors/runtime/chart-equivalence.ts'

const events = [
  'track.go',
  'track.go',
  'track.go',
  'position.found',
  'fetch.answered',
  'fetch.hasty',
  'range.left',
  'request.failed',
  'request.failed',
  'track.seek',
  'track.end',
].map(type => ({ type }))

t.test('compiled and live agree on every branch and on seeded walks', async t => {
  for (const isPositionKnown of [true, false]) {
    const agreement = assertChartAgrees(t, trackMachine, { input: () => ({ isPositionKnown, backoffMs: 20 }), events })
    t.equal(agreement.configurations, 5)
  }
})
