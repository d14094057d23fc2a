/**
 * Definitions are checked before anything is started: what a worker will load must be the very value that was given.
 */
import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { type DefinitionKind, type DefinitionRef, importDefinition } from '../actors/runtime/import-definition.ts'
import { StarfishError } from '../messages/errors.ts'
import type { ChildSpec } from './child-spec.ts'
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
export async function checkDefinitions(spec: ChildSpec): Promise<void> {
  if (typeof spec !== 'object' || spec === null) return
  if (!('definition' in spec)) for (const child of childrenOf(spec)) await checkDefinitions(child)
  else if (typeof spec.definition === 'object' && spec.definition !== null) await checkDefinition(spec.definition)
}

/** The spec with references in place of definitions, which cannot be copied to another thread. */
export function withReferences<S extends ChildSpec>(spec: S): S {
  if (typeof spec !== 'object' || spec === null) return spec
  if (!('definition' in spec)) {
    return 'children' in spec ? { ...spec, children: childrenOf(spec).map(withReferences) } : spec
  }
  const { definition } = spec
  if (typeof definition !== 'object' || definition === null) return spec
  return { ...spec, definition: { moduleUrl: definition.moduleUrl, exportName: definition.exportName } }
}

function childrenOf(spec: { readonly children?: readonly ChildSpec[] }): readonly ChildSpec[] {
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
