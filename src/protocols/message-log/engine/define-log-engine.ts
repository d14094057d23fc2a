/** Engines as values that every thread can load: what a log server takes as `engine`. */
import { type DefinitionKind, hasKind } from '../../../actors/runtime/import-definition.ts'
import { createFaults, type Faults, show } from '../../../messages/option-faults.ts'
import type { LogEngine, LogEngineContext, LogReader, MaybeAsync } from './contract.ts'

/** How an engine comes up. `O` is what it has to be told; it is copied to every thread, so it is plain data. */
export interface LogEngineOpener<O> {
  /**
   * Looks whether the store can be opened, and leaves it closed; rejects as `open` would. A server asks before it starts anything,
   * as it probes its port: a wrong option, or a store that another has open, is told then. Left out: `open` tells.
   */
  probe?(options: O): MaybeAsync<void>
  /**
   * Opens the store to be written: on one thread, once at a time. Rejects with `BAD_CONFIG` or `STORAGE_FAILED`; whatever else it
   * rejects with is the cause of `START_FAILED`.
   */
  open(options: O, context: LogEngineContext): MaybeAsync<LogEngine>
  /**
   * Opens a store that an engine has open to be read on another thread, beside the engine. Left out: what is read there goes
   * through the engine.
   */
  openReader?(options: O, context: LogEngineContext): MaybeAsync<LogReader>
}

/** An engine that threads can load; see {@link defineLogEngine}. */
export interface LogEngineDefinition<O> {
  readonly kind: 'logEngine'
  /** `import.meta.url` of the module that exports it. */
  readonly moduleUrl: string
  readonly exportName: string
  readonly opener: LogEngineOpener<O>
  /** Names the engine with its options: what a log server takes as `engine`. */
  with(options: O): BoundLogEngine
}

/** An engine with its options. */
export interface BoundLogEngine {
  readonly definition: LogEngineDefinition<never>
  /** Plain data. */
  readonly options: unknown
}

/**
 * Defines a storage engine. `moduleUrl` is the `import.meta.url` of the calling module and `exportName` the name under which
 * that module, which is not the program's entry, exports the result: the storage worker and the shards load it by both.
 * Throws `BAD_CONFIG` for a name that is none, and for an opener that cannot open.
 *
 * @example
 * export const tapeEngine = defineLogEngine(import.meta.url, 'tapeEngine', {
 *   open: ({ device }: TapeOptions, context) => new TapeEngine(device, context),
 * })
 */
export function defineLogEngine<O>(
  moduleUrl: string,
  exportName: string,
  opener: LogEngineOpener<O>,
): LogEngineDefinition<O> {
  const faults = createFaults()
  faults.name('moduleUrl', moduleUrl)
  faults.name('exportName', exportName)
  checkOpener(opener, faults)
  faults.throwIfAny('BAD_CONFIG', 'defineLogEngine')
  const definition: LogEngineDefinition<O> = {
    kind: 'logEngine',
    moduleUrl,
    exportName,
    opener,
    with: options => ({ definition, options }),
  }
  return definition
}

function checkOpener(opener: unknown, faults: Faults): void {
  if (!faults.options('opener', opener, ['probe', 'open', 'openReader'])) return
  const { probe, open, openReader } = opener as Readonly<Record<string, unknown>>
  if (typeof open !== 'function') faults.add('opener.open', `is ${show(open)}, not a function`)
  for (const [name, value] of Object.entries({ probe, openReader })) {
    if (value !== undefined && typeof value !== 'function') {
      faults.add(`opener.${name}`, `is ${show(value)}, not a function`)
    }
  }
}

/** What is imported for an engine. */
export const logEngineKind: DefinitionKind<LogEngineDefinition<unknown>> = {
  name: 'a definition of a log engine',
  is: (value): value is LogEngineDefinition<unknown> => hasKind(value, 'logEngine'),
}
