/**
 * Definitions are checked before anything is started: what a worker will load must be the very value that was given.
 */
import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { DefinitionRef } from '../actors/runtime/define-actor.ts'
import { type DefinitionKind, importDefinition } from '../actors/runtime/import-definition.ts'
import { StarfishError } from '../messages/errors.ts'
import { actorKind } from './kernel/definition-loader.ts'

const checked = new WeakSet<object>()

/**
 * Checks that module and export name of an actor's definition lead back to it. Rejects with DEFINITION_IN_ENTRY for the entry
 * module (a worker would run the program again) and with DEFINITION_NOT_FOUND, both naming module and export.
 */
export function checkDefinition(definition: DefinitionRef): Promise<void> {
  return checkImportable(definition, actorKind)
}

/** As {@link checkDefinition}, for definitions of another kind. A mere reference has to lead to one of that kind. */
export async function checkImportable<T>(definition: DefinitionRef, kind: DefinitionKind<T>): Promise<void> {
  if (checked.has(definition)) return
  const { moduleUrl, exportName } = definition
  const details = { moduleUrl, exportName }
  if (moduleUrl === entryUrl()) {
    const text = `the definition ${exportName} is in the entry module ${moduleUrl}: move it to a module of its own`
    throw new StarfishError('DEFINITION_IN_ENTRY', text, { details })
  }
  const found: unknown = await importDefinition(definition, kind)
  if (kind.is(definition) && found !== definition) {
    const text = `the export ${exportName} of ${moduleUrl} is another definition than the one that carries that name`
    throw new StarfishError('DEFINITION_NOT_FOUND', text, { details })
  }
  checked.add(definition)
}

/** Checks every definition of a spec. What is no spec is passed over: to say so is the business of its supervisor. */
export async function checkDefinitions(spec: unknown): Promise<void> {
  if (!isObject(spec)) return
  if (!('definition' in spec)) for (const child of childrenOf(spec)) await checkDefinitions(child)
  else if (isObject(spec.definition)) await checkDefinition(spec.definition as DefinitionRef)
}

/** The spec with references in place of definitions, which cannot be copied to another thread. */
export function withReferences<S>(spec: S): S {
  if (!isObject(spec)) return spec
  if (!('definition' in spec)) {
    return 'children' in spec ? { ...spec, children: childrenOf(spec).map(withReferences) } : spec
  }
  if (!isObject(spec.definition)) return spec
  const { moduleUrl, exportName } = spec.definition as DefinitionRef
  return { ...spec, definition: { moduleUrl, exportName } }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function childrenOf(spec: { readonly children?: unknown }): readonly unknown[] {
  return Array.isArray(spec.children) ? spec.children : []
}

/** As the module itself sees it: modules are known by their real path, programs may be called by a link. */
function entryUrl(): string | undefined {
  const path = process.argv[1]
  if (path === undefined) return undefined
  try {
    return pathToFileURL(realpathSync(path)).href
  } catch {
    return pathToFileURL(path).href
  }
}
