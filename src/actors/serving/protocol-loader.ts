/** Loads the protocol of an acceptor on its shard. */
import { type DefinitionKind, importDefinition } from '../runtime/import-definition.ts'
import type { FrameProtocol, ProtocolDefinition, ProtocolEnvironment, ProtocolReference } from './protocol.ts'

const protocolKind: DefinitionKind<ProtocolDefinition<unknown>> = {
  name: 'a protocol',
  is: (value): value is ProtocolDefinition<unknown> =>
    typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function',
}

/** Imports the module and builds the protocol. `DEFINITION_NOT_FOUND`, or what the protocol makes of its options. */
export async function loadProtocol(
  reference: ProtocolReference,
  environment: ProtocolEnvironment,
): Promise<FrameProtocol> {
  const definition = await importDefinition(reference, protocolKind)
  return definition.create(reference.options, environment)
}
