/** Brings the dialect of a server to its shard. */
import { importDefinition } from '../../actors/runtime/import-definition.ts'
import { LogThrottle } from '../../actors/runtime/log-throttle.ts'
import type { ProtocolEnvironment } from '../../actors/serving/protocol.ts'
import { type DialectReference, type EventDialect, eventProtocolKind } from './dialect.ts'
import { dialectV1 } from './dialect-v1.ts'
import { buildDialect, watchDialect } from './foreign-dialect.ts'

/** How often a mistake of a dialect is logged, ms. */
const logIntervalMs = 1_000

/**
 * Builds a dialect on its shard, that of version 1 for none, and watches it. `DEFINITION_NOT_FOUND`, or what
 * {@link buildDialect} throws.
 */
export async function loadDialect(
  reference: DialectReference | undefined,
  { log, clock }: Pick<ProtocolEnvironment, 'log' | 'clock'>,
): Promise<EventDialect> {
  if (reference === undefined) return dialectV1
  const definition = await importDefinition(reference, eventProtocolKind)
  const throttle = new LogThrottle<string>(clock, logIntervalMs)
  return watchDialect(buildDialect(definition, reference.options), err => {
    const { exportName: protocol } = reference
    throttle.write('length', leftOut => log.warn({ err, protocol, leftOut }, 'event protocol at fault'))
  })
}
