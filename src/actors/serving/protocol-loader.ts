/** Loads the protocol of an acceptor on its shard. */
import { StarfishError } from '../../messages/errors.ts'
import type { FrameProtocol, ProtocolDefinition, ProtocolEnvironment, ProtocolReference } from './protocol.ts'

/** Imports the module and builds the protocol. `DEFINITION_NOT_FOUND`, or what the protocol makes of its options. */
export async function loadProtocol(
  reference: ProtocolReference,
  environment: ProtocolEnvironment,
): Promise<FrameProtocol> {
  const { moduleUrl, exportName } = reference
  let module: Record<string, unknown>
  try {
    module = await import(moduleUrl)
  } catch (cause) {
    throw notFound(`module ${moduleUrl} of a protocol cannot be loaded`, reference, cause)
  }
  const definition = module[exportName]
  if (!isProtocolDefinition(definition)) {
    throw notFound(`${moduleUrl} exports no protocol '${exportName}'`, reference)
  }
  return definition.create(reference.options, environment)
}

function isProtocolDefinition(value: unknown): value is ProtocolDefinition<unknown> {
  return typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function'
}

function notFound(message: string, { moduleUrl, exportName }: ProtocolReference, cause?: unknown): StarfishError {
  return new StarfishError('DEFINITION_NOT_FOUND', message, { details: { moduleUrl, exportName }, cause })
}
