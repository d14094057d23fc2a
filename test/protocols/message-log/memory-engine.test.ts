/** The engine in memory keeps the contract of log engines. */
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createAdvances } from '../../../src/protocols/message-log/engine/advances.ts'
import { memoryLogEngine } from '../../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { failOnLost, runEngineConformance } from './engine-conformance.ts'
import type { EngineWorld } from './engine-world.ts'

async function open(): Promise<EngineWorld> {
  const clock = createVirtualClock(1_000_000)
  const context = { clock, advances: createAdvances(), onLost: failOnLost }
  const engine = await memoryLogEngine.opener.open(undefined, context)
  return { clock, engine, reader: engine, reopen: open, close: async () => engine.close() }
}

runEngineConformance({ name: 'memory', outlivesClose: false, open })
