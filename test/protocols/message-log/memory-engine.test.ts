/** The engine in memory keeps the contract of log engines. */
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createAdvances } from '../../../src/protocols/message-log/engine/advances.ts'
import { memoryLogEngine } from '../../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { runEngineConformance } from './engine-conformance.ts'
import type { EngineWorld } from './engine-world.ts'

async function open(): Promise<EngineWorld> {
  const clock = createVirtualClock(1_000_000)
  const lost: unknown[] = []
  const context = { clock, advances: createAdvances(), onLost: (error: unknown) => void lost.push(error) }
  const engine = await memoryLogEngine.opener.open(undefined, context)
  return { clock, engine, reader: engine, lost, reopen: open, close: async () => engine.close() }
}

runEngineConformance({ name: 'memory', outlivesClose: false, open })
