/** Opens the store of an owner before its chart starts: an owner that cannot open it does not start, and says why. */
import type { ActorRuntime } from '../../../actors/runtime/actor-runtime.ts'
import { importDefinition } from '../../../actors/runtime/import-definition.ts'
import type { LogEngine } from '../engine/contract.ts'
import { logEngineKind } from '../engine/define-log-engine.ts'
import { checkEngine } from '../engine/engine-shape.ts'
import { logFigures, ownerSlot } from '../log-figures.ts'
import type { StoreInput } from './config.ts'

interface OpenStore {
  readonly engine: LogEngine
  readonly figures: Float64Array
}

const stores = new WeakMap<ActorRuntime, OpenStore>()

/**
 * The `init` of the owner. The store is closed with its incarnation, within the call if it can be: after a kill nobody waits
 * before the next incarnation opens it.
 */
export async function openStore(
  { engine: reference, advances, figures }: StoreInput,
  runtime: ActorRuntime,
): Promise<undefined> {
  const { opener } = await importDefinition(reference, logEngineKind)
  const onLost = (err: unknown): void =>
    runtime.log.error({ err }, 'messages that were acknowledged as received are lost')
  const opened = await opener.open(reference.options, { clock: runtime.clock, advances, onLost })
  const engine = checkEngine(reference.exportName, opened)
  stores.set(runtime, { engine, figures: logFigures.open(figures, ownerSlot) })
  runtime.onStop(async () => engine.close())
}

/** The engine that {@link openStore} has opened for an incarnation. */
export function engineOf(runtime: ActorRuntime): LogEngine {
  return stores.get(runtime)!.engine
}

/** The section of `logFigures` that its owner writes. */
export function figuresOf(runtime: ActorRuntime): Float64Array {
  return stores.get(runtime)!.figures
}
