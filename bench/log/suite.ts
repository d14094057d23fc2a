/** The suite of the message log. */
import { runParts } from '../parts.ts'
import type { Suite } from '../suite.ts'
import { measureCodecs } from './codecs.ts'
import { measureServer } from './server.ts'

export const logSuite: Suite = {
  title: 'The message log',
  async run(options) {
    const figures = await runParts(options, { codec: measureCodecs, server: measureServer })
    return { title: this.title, notes: [], figures }
  },
}
