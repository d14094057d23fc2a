/** A command that computes, for the task pool of the measured server. */
import { createHash } from 'node:crypto'
import { defineCommands } from '../../src/protocols/event/commands.ts'

/** Its number. */
export const hashCommand = 0x10

/** Hashes a mebibyte: a few milliseconds of a processor. */
export const commands = defineCommands(import.meta.url, 'commands', {
  [hashCommand]: { run: 'pool', handle: () => createHash('sha256').update(Buffer.alloc(1_048_576)).digest() },
})
