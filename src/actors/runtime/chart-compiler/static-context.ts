/**
 * A static `context`: plain data, so that each instance can be given a copy of its own. XState has all instances share it,
 * which changes nothing for a chart that never mutates it.
 */
import { notCompilable } from './refusal.ts'

/** Checks that a context is plain data through and through. Throws CHART_NOT_COMPILABLE, which says what is not, and where. */
export function checkStaticContext(chart: string, context: unknown): void {
  const fault = context === undefined || context === null ? undefined : faultOf(context, 'context', new Set())
  if (fault !== undefined) throw notCompilable(chart, chart, `${fault}; a function can make such a context`)
}

/** What of a value, found at `path` below its `holders`, could not be copied. */
function faultOf(value: unknown, path: string, holders: Set<object>): string | undefined {
  if (typeof value !== 'object' || value === null)
    return holders.size === 0 ? `a static ${path} that is no object` : undefined
  if (holders.has(value)) return `a static context that holds itself at ${path}`
  if (!isPlain(value)) return `a static context with ${nameOf(value)} at ${path}`
  holders.add(value)
  for (const key of Reflect.ownKeys(value)) {
    if (Array.isArray(value) && key === 'length') continue
    const at = `${path}.${String(key)}`
    const field = Object.getOwnPropertyDescriptor(value, key)!
    const isData = 'value' in field && field.enumerable && key !== '__proto__'
    const fault = isData ? faultOf(field.value, at, holders) : `a static context whose ${at} is no plain field`
    if (fault !== undefined) return fault
  }
  holders.delete(value)
  return undefined
}

function isPlain(value: object): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}

function nameOf(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' ? `a ${name}` : 'an object of no class'
}

/** A copy of a context that was checked. */
export function copyStaticContext(context: unknown): unknown {
  return copyOf(context) ?? {}
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf)
  const copy = { ...value } as Record<string | symbol, unknown>
  for (const key of Reflect.ownKeys(copy)) if (typeof copy[key] === 'object') copy[key] = copyOf(copy[key])
  return copy
}
