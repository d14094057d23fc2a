/**
 * The codecs of definitions. A sender that knows the definition of whom it writes to (a typed reference, `message`) takes
 * the codec from it; the thread that runs the actor has loaded the same definition, and tells the others what it can read.
 */
import type { NamedCodec } from '../../messages/thread/event-codec.ts'
import type { AnyActorDefinition } from './define-actor.ts'

/** The codecs of one definition by event type. */
export type EventCodecs = ReadonlyMap<string, NamedCodec>

const known = new WeakMap<AnyActorDefinition, EventCodecs>()

/** The codecs of a definition; undefined when it has none. */
export function eventCodecsOf(definition: AnyActorDefinition): EventCodecs | undefined {
  const { codecs } = definition.options
  if (codecs === undefined) return undefined
  let byType = known.get(definition)
  if (byType === undefined) {
    const { moduleUrl, exportName } = definition
    byType = new Map(codecs.map(codec => [codec.type, { name: `${moduleUrl}#${exportName} ${codec.type}`, codec }]))
    known.set(definition, byType)
  }
  return byType
}
