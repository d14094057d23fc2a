/**
 * Definitions by module and export name, loaded once per thread.
 */
import type { AnyActorDefinition, DefinitionRef } from '../../actors/runtime/define-actor.ts'
import { StarfishError } from '../../messages/errors.ts'

const loaded = new Map<string, AnyActorDefinition>()

/** The definition that a reference names; a definition itself is its own answer. Rejects with DEFINITION_NOT_FOUND. */
export async function loadDefinition(ref: DefinitionRef | AnyActorDefinition): Promise<AnyActorDefinition> {
  if (isDefinition(ref)) return ref
  const known = loadedDefinition(ref)
  if (known !== undefined) return known
  const definition = await importDefinition(ref)
  loaded.set(keyOf(ref), definition)
  return definition
}

/** The definition, if this thread has loaded it. */
export function loadedDefinition(ref: DefinitionRef | AnyActorDefinition): AnyActorDefinition | undefined {
  return isDefinition(ref) ? ref : loaded.get(keyOf(ref))
}

/** Imports afresh what a reference names, and checks that it is a definition. */
export async function importDefinition(ref: DefinitionRef): Promise<AnyActorDefinition> {
  const { moduleUrl, exportName } = ref
  const module: Record<string, unknown> = await import(moduleUrl).catch((cause: unknown) => {
    throw notFound(ref, `the module ${moduleUrl} of the definition ${exportName} cannot be loaded`, cause)
  })
  const found = module[exportName]
  if (found === undefined) throw notFound(ref, `the module ${moduleUrl} has no export ${exportName}`)
  if (!isDefinition(found)) throw notFound(ref, `the export ${exportName} of ${moduleUrl} is not an actor definition`)
  return found
}

/** True for what `defineActor` made. */
export function isDefinition(value: unknown): value is AnyActorDefinition {
  return (
    typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'actor' && 'options' in value
  )
}

function notFound(ref: DefinitionRef, text: string, cause?: unknown): StarfishError {
  const details = { moduleUrl: ref.moduleUrl, exportName: ref.exportName }
  return new StarfishError('DEFINITION_NOT_FOUND', text, { details, cause })
}

function keyOf(ref: DefinitionRef): string {
  return `${ref.moduleUrl}#${ref.exportName}`
}
