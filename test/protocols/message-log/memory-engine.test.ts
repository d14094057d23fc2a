/** The engine in memory keeps the contract of log engines. */
import type { OpenedLog } from '../../../src/protocols/message-log/engine/conformance/index.ts'
import type { LogEngineContext } from '../../../src/protocols/message-log/engine/contract.ts'
import { memoryLogEngine } from '../../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { runEngineConformance } from './engine-conformance.ts'

async function open(context: LogEngineContext): Promise<OpenedLog> {
  const engine = await memoryLogEngine.opener.open(undefined, context)
  return { engine, reader: engine, reopen: () => open(context), close: async () => engine.close() }
}

runEngineConformance('memory', { outlivesClose: false, open })
