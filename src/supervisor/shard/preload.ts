/** What a worker that stands by does before it is needed: it loads the definitions of the actors that it may get, and their log. */
// By its default: what a built entry links has to link on Node 20, where this module exports less.
import module from 'node:module'
import type { DefinitionRef } from '../../actors/runtime/define-actor.ts'
import { loadDefinition } from '../kernel/definition-loader.ts'
import { prepareEngine } from '../kernel/engine-of.ts'
import { loadPino } from './shard-log.ts'

/**
 * Loads definitions, and compiles their charts. One that cannot be had is passed over: who starts it will be told why.
 * Where Node keeps what it has compiled it is written now, not at the worker's end: the next one loads faster.
 */
export async function preload(definitions: readonly DefinitionRef[]): Promise<true> {
  for (const definition of definitions) {
    try {
      prepareEngine(await loadDefinition(definition))
    } catch {
      // Its module may even work when it is needed.
    }
  }
  loadPino()
  module.flushCompileCache()
  return true
}
