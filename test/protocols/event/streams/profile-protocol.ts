/** What the servers of a profile do with requests: the commands that fail, those that answer later, bodies that cannot be opened. */

import type { EventDialect } from '../../../../src/protocols/event/dialect.ts'
import { dialectV1 } from '../../../../src/protocols/event/dialect-v1.ts'
import type { EventCall, EventCommand } from '../../../../src/protocols/event/event-call.ts'
import { command, type Profile } from './profiles.ts'

const error = new Error('broken')

/** The commands besides echo and ping; `putOff` is handed those that are to be answered later. */
export function commandsFor(putOff: (call: EventCall) => void): ReadonlyMap<number, EventCommand> {
  const broken = (): void => {
    throw error
  }
  return new Map<number, EventCommand>([
    [command.late, putOff],
    [command.broken, broken],
    [command.silent, () => {}],
  ])
}

/** The body of a call, kept. */
export function bodyOf({ bytes, bodyStart, bodyEnd }: EventCall): Buffer {
  return Buffer.from(bytes.subarray(bodyStart, bodyEnd))
}

/** The headers and bodies of a profile. */
export function dialectFor({ reference: { sealedBy } }: Profile): EventDialect {
  if (sealedBy === undefined) return dialectV1
  return {
    ...dialectV1,
    validateDecryptBody(frame) {
      if (frame.length > 16 && frame[16] === sealedBy) throw error
      return frame.subarray(16)
    },
  }
}
