/** The suite of the event server: echo over TCP and UDP, its latency, idle connections, commands beside a full task pool. */
import { runParts } from '../parts.ts'
import type { Suite } from '../suite.ts'
import { measureDatagrams } from './datagrams.ts'
import { measureIdle } from './idle.ts'
import { measureLatency, measurePoolLoad } from './latency.ts'
import { measurePipelined } from './pipelined.ts'

export const eventsSuite: Suite = {
  title: 'The event server',
  async run(options) {
    const figures = await runParts(options, {
      pipelined: measurePipelined,
      latency: measureLatency,
      idle: measureIdle,
      datagrams: measureDatagrams,
      'pool-load': measurePoolLoad,
    })
    const notes = [
      'The servers run in processes of their own, the bare ones on one thread, Starfish with one shard; the client, which ' +
        'compares every byte that it receives, is a process beside them.',
    ]
    return { title: this.title, notes, figures }
  },
}
