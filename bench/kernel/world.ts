/** The system that is measured: a real one, with its log written to nowhere. */
import pino from 'pino'
import { createSystem, type System } from '../../src/supervisor/system.ts'

/** A system with so many shards. Records of level `warn` are made as by default, and thrown away. */
export function benchSystem(shards: number): Promise<System> {
  const logger = pino({ level: 'warn' }, pino.destination({ dest: '/dev/null', sync: false }))
  return createSystem({ shards, logger })
}
