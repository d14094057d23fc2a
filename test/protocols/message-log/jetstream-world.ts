/** Logs in JetStream, each of its own name. */
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import { createAdvances } from '../../../src/protocols/message-log/engine/advances.ts'
import type { LogEngine, LogEngineContext, LogReader } from '../../../src/protocols/message-log/engine/contract.ts'
import type { JetstreamLogOptions } from '../../../src/protocols/message-log/engine/jetstream/config.ts'
import { jetstreamLogEngine } from '../../../src/protocols/message-log/engine/jetstream/jetstream-log-engine.ts'

let stores = 0

/** A name that no other log of this process has. */
export function newStore(): string {
  return `log${stores++}`
}

const context: LogEngineContext = {
  clock: systemClock,
  advances: createAdvances(),
  onLost(error) {
    throw error
  },
}

/** Opens a log, as a node would. */
export async function openNode(options: JetstreamLogOptions, given = context): Promise<LogEngine> {
  return jetstreamLogEngine.opener.open(options, given)
}

/** Opens a log to be read. */
export async function openReader(options: JetstreamLogOptions): Promise<LogReader> {
  return jetstreamLogEngine.opener.openReader!(options, context)
}
