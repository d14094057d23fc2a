/** The suite of the message log. */
import { runParts } from '../parts.ts'
import type { Suite } from '../suite.ts'
import { measureClient } from './client.ts'
import { measureCodecs } from './codecs.ts'
import { measureActiveConnections, measureIdleConnections } from './connections.ts'
import { jetstreamFigures } from './jetstream.ts'
import { measureLarge } from './large.ts'
import { measureServer } from './server.ts'
import { measureHalfLoad, measureSteady } from './steady.ts'

const notes = [
  'Of one message at a time there are two rows: `client.produce` writes a request for each call; a producer gathers the sends of ' +
    'a tick into one request for each partition, as Kafka clients do, and answers each send with the offset of its own message.',
  'Half load is half of the requests a second that two connections of each kind brought as fast as they were answered. They come a ' +
    'millisecond’s worth at a time, in smaller pieces than those, so that each costs more: the server takes more than half of its cores.',
  'Servers, the bare one too, have as many threads of V8 beside their own as `npm start` gives them: one less than there are cores.',
]

export const logSuite: Suite = {
  title: 'The message log',
  async run(options) {
    const figures = await runParts(options, {
      codec: measureCodecs,
      server: measureServer,
      idle: measureIdleConnections,
      active: measureActiveConnections,
      half: measureHalfLoad,
      steady: measureSteady,
      large: measureLarge,
      client: measureClient,
      jetstream: jetstreamFigures,
    })
    return { title: this.title, notes, figures }
  },
}
