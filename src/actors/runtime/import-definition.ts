/** Definitions by the URL of their module and the name of their export: how code reaches another thread. */
import { StarfishError } from '../../messages/errors.ts'
import { thrownText } from '../../messages/thread/exit-text.ts'
import type { DefinitionRef } from './define-actor.ts'

/** The reference that names a definition to another thread. */
export function referenceTo({ moduleUrl, exportName }: DefinitionRef): DefinitionRef {
  return { moduleUrl, exportName }
}

/** What a thread expects to find: `name` is for the error, as in "is not an actor definition". */
export interface DefinitionKind<T> {
  readonly name: string
  is(value: unknown): value is T
}

/** Imports what a reference names. Rejects with DEFINITION_NOT_FOUND, naming module and export, when it is not there or is no `kind`. */
export async function importDefinition<T>(ref: DefinitionRef, kind: DefinitionKind<T>): Promise<T> {
  const { moduleUrl, exportName } = ref
  const module: Record<string, unknown> = await import(moduleUrl).catch((cause: unknown) => {
    throw notFound(
      ref,
      `the module ${moduleUrl} of the definition ${exportName} cannot be loaded: ${thrownText(cause)}`,
      cause,
    )
  })
  const found = module[exportName]
  if (found === undefined) throw notFound(ref, `the module ${moduleUrl} has no export ${exportName}`)
  if (!kind.is(found)) throw notFound(ref, `the export ${exportName} of ${moduleUrl} is not ${kind.name}`)
  return found
}

function notFound({ moduleUrl, exportName }: DefinitionRef, text: string, cause?: unknown): StarfishError {
  return new StarfishError('DEFINITION_NOT_FOUND', text, { details: { moduleUrl, exportName }, cause })
}

/** True for an object with that `kind`: what the `define…` functions make. */
export function hasKind(value: unknown, kind: string): boolean {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === kind
}
