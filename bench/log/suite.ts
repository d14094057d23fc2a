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
