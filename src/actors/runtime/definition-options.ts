/** Checks of what `defineActor` takes. */
import { createFaults, type Faults } from '../../messages/option-faults.ts'
import { checkMailbox } from './mailbox-options.ts'

const engines = ['live', 'compiled'] as const
const functions = ['provide', 'init'] as const
const others = ['machine', 'engine', 'mailbox', 'checkpointEveryMs', 'blackBoxEvents', 'codecs'] as const
const blackBoxEventsMax = 10_000

/**
 * Checks the arguments of `defineActor`.
 *
 * @throws StarfishError BAD_CONFIG whose `details.reasons` are all that is wrong, `{ path, reason }` each.
 */
export function checkDefinitionOptions(moduleUrl: unknown, exportName: unknown, options: unknown): void {
  const faults = createFaults()
  faults.name('moduleUrl', moduleUrl)
  faults.name('exportName', exportName)
  if (faults.options('', options, [...functions, ...others])) checkOptions({ ...options }, faults)
  faults.throwIfAny('BAD_CONFIG', `bad definition ${String(exportName)}`)
}

function checkOptions(options: Readonly<Record<string, unknown>>, faults: Faults): void {
  const { machine, engine, provide, checkpointEveryMs, blackBoxEvents, codecs } = options
  if (typeof (machine as { provide?: unknown } | undefined)?.provide !== 'function')
    faults.add('machine', 'is no chart: createMachine makes one')
  if (engine !== undefined) faults.oneOf('engine', engine, engines)
  for (const option of functions) {
    if (options[option] !== undefined && typeof options[option] !== 'function') faults.add(option, 'is no function')
  }
  if (engine === 'compiled' && provide !== undefined)
    faults.add('provide', 'is not for compiled charts: their actions use runtimeOf')
  checkMailbox(options['mailbox'], faults)
  if (checkpointEveryMs !== undefined) faults.whole('checkpointEveryMs', checkpointEveryMs, 0, Number.MAX_SAFE_INTEGER)
  if (blackBoxEvents !== undefined) faults.whole('blackBoxEvents', blackBoxEvents, 0, blackBoxEventsMax)
  if (codecs !== undefined && !Array.isArray(codecs)) faults.add('codecs', 'are no array')
}
