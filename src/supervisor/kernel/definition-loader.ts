/**
 * Definitions by module and export name, loaded once per thread.
 */
import type { AnyActorDefinition, DefinitionRef } from '../../actors/runtime/define-actor.ts'
import { type DefinitionKind, hasKind, importDefinition } from '../../actors/runtime/import-definition.ts'

const loaded = new Map<string, AnyActorDefinition>()
const loading = new Map<string, Promise<AnyActorDefinition>>()

/** The definition that a reference names; a definition itself is its own answer. Rejects with DEFINITION_NOT_FOUND. */
export async function loadDefinition(ref: DefinitionRef | AnyActorDefinition): Promise<AnyActorDefinition> {
  if (isDefinition(ref)) return ref
  const known = loadedDefinition(ref)
  if (known !== undefined) return known
  const key = keyOf(ref)
  // A shard that comes back asks for one definition as often as it has actors of it.
  const begun = loading.get(key) ?? importDefinition(ref, actorKind).finally(() => loading.delete(key))
  loading.set(key, begun)
  const definition = await begun
  loaded.set(key, definition)
  return definition
}

/** The definition, if this thread has loaded it. */
export function loadedDefinition(ref: DefinitionRef | AnyActorDefinition): AnyActorDefinition | undefined {
  return isDefinition(ref) ? ref : loaded.get(keyOf(ref))
}

/** What is imported for an actor. */
export const actorKind: DefinitionKind<AnyActorDefinition> = { name: 'an actor definition', is: isDefinition }

/** True for what `defineActor` made. */
export function isDefinition(value: unknown): value is AnyActorDefinition {
  return hasKind(value, 'actor') && 'options' in (value as object)
}

function keyOf(ref: DefinitionRef): string {
  return `${ref.moduleUrl}#${ref.exportName}`
}
