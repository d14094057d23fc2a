/** Loads the protocol of an acceptor, or of a datagram actor, on its shard. */
import { type DefinitionKind, importDefinition } from '../runtime/import-definition.ts'
import type { DatagramProtocol } from './datagram-protocol.ts'
import type { FrameProtocol, ProtocolDefinition, ProtocolEnvironment, ProtocolReference } from './protocol.ts'

const protocolKind: DefinitionKind<ProtocolDefinition<unknown, unknown>> = {
  name: 'a protocol',
  is: (value): value is ProtocolDefinition<unknown, unknown> =>
    typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function',
}

/** Imports the module and builds the protocol. `DEFINITION_NOT_FOUND`, or what the protocol makes of its options. */
export async function loadProtocol<P extends FrameProtocol | DatagramProtocol = FrameProtocol>(
  reference: ProtocolReference,
  environment: ProtocolEnvironment,
): Promise<P> {
  const definition = await importDefinition(reference, protocolKind)
  return (await definition.create(reference.options, environment)) as P
}
