/** The suite of the message log. */
import { runParts } from '../parts.ts'
import type { Suite } from '../suite.ts'
import { measureClient } from './client.ts'
import { measureCodecs } from './codecs.ts'
import { jetstreamFigures } from './jetstream.ts'
import { measureServer } from './server.ts'

export const logSuite: Suite = {
  title: 'The message log',
  async run(options) {
    const figures = await runParts(options, {
      codec: measureCodecs,
      server: measureServer,
      client: measureClient,
      jetstream: jetstreamFigures,
    })
    return { title: this.title, notes: [], figures }
  },
}
