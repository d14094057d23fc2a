/** The system that is measured: a real one, with its log written to nowhere. */
import pino, { type Logger } from 'pino'
import { createSystem, type System } from '../../src/supervisor/system.ts'

/** A system with so many shards. */
export function benchSystem(shards: number): Promise<System> {
  return createSystem({ shards, logger: silentLogger() })
}

/** Records of level `warn` are made as by default, and thrown away. */
export function silentLogger(): Logger {
  return pino({ level: 'warn' }, pino.destination({ dest: '/dev/null', sync: false }))
}
