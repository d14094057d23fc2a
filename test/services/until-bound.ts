/** Waits for an acceptor that was killed to come back. */
import { acceptor } from '../../src/services/acceptors.ts'
import type { System } from '../../src/supervisor/system.ts'

/** Settles when the acceptor, or listener, at `address` accepts; asks again while it dies or is not there. */
export async function untilBound(system: System, address: string): Promise<void> {
  for (;;) {
    try {
      await system.ref(acceptor, address).ask({ type: 'acceptor.whenBound' }, { timeoutMs: 10_000 })
      return
    } catch {
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}
