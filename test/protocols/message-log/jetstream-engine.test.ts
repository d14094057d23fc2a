/** The engine in NATS JetStream keeps the contract of log engines. */
import t from 'tap'
import type { OpenedLog } from '../../../src/protocols/message-log/engine/conformance/index.ts'
import type { LogEngineContext } from '../../../src/protocols/message-log/engine/contract.ts'
import { runEngineConformance } from './engine-conformance.ts'
import { newStore, openNode, openReader } from './jetstream-world.ts'
import { skipWithoutNats, startNats } from './nats-server.ts'

const skip = skipWithoutNats()
if (skip !== false) {
  t.plan(0, skip)
} else {
  const nats = await startNats()
  t.teardown(() => nats.close())

  async function openAt(store: string, context: LogEngineContext): Promise<OpenedLog> {
    const options = { servers: nats.address, store }
    const engine = await openNode(options, context)
    const reader = await openReader(options)
    async function close(): Promise<void> {
      await reader.close()
      await engine.close()
    }
    return {
      engine,
      reader,
      close,
      async reopen() {
        await close()
        return openAt(store, context)
      },
    }
  }

  runEngineConformance('jetstream', { outlivesClose: true, open: context => openAt(newStore(), context) })
}
