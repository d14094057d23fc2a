/** The engine in NATS JetStream keeps the contract of log engines. */
import t from 'tap'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createAdvances } from '../../../src/protocols/message-log/engine/advances.ts'
import { failOnLost, runEngineConformance } from './engine-conformance.ts'
import type { EngineWorld } from './engine-world.ts'
import { newStore, openNode, openReader } from './jetstream-world.ts'
import { skipWithoutNats, startNats } from './nats-server.ts'

const skip = skipWithoutNats()
if (skip !== false) {
  t.plan(0, skip)
} else {
  const nats = await startNats()
  t.teardown(() => nats.close())
  const clock = createVirtualClock(1_000_000)

  async function openAt(store: string): Promise<EngineWorld> {
    const options = { servers: nats.address, store }
    const engine = await openNode(options, { clock, advances: createAdvances(), onLost: failOnLost })
    const reader = await openReader(options)
    async function close(): Promise<void> {
      await reader.close()
      await engine.close()
    }
    return {
      clock,
      engine,
      reader,
      close,
      async reopen() {
        await close()
        return openAt(store)
      },
    }
  }

  runEngineConformance({ name: 'jetstream', outlivesClose: true, open: () => openAt(newStore()) })
}
