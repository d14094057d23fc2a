import { scryptSync } from 'node:crypto'
import { defineCommands, eventFailure } from 'starfish-net'

/** What the commands are called on the wire: 0 and 1 are echo and ping. */
export const command = { upper: 0x10, seal: 0x11 } as const

export const commands = defineCommands(import.meta.url, 'commands', {
  [command.upper]: { handle: ({ body }) => Buffer.from(body).toString().toUpperCase() },
  [command.seal]: {
    run: 'pool',
    // Some 50 ms of a processor: on the thread of a connection it would keep a thousand others waiting.
    handle({ body }) {
      if (body.length === 0) throw eventFailure('invalidPacketLength', 'there is nothing to seal')
      return scryptSync(body, 'sea salt', 32, { N: 16_384 })
    },
  },
})
