/** What is told of an actor that somebody inspects, as far as another thread can read it. */
import type { ActorDetails } from '../kernel/actor-summary.ts'

/** The main thread's stack is the smallest: it reads some thousand levels, in whatever they are nested. */
const levelsMax = 1_000

/** Leaves out the context, and the events, that cannot be copied or are nested too deep to be read elsewhere. */
export function clonableDetails(details: ActorDetails | undefined): ActorDetails | undefined {
  if (details === undefined) return undefined
  try {
    if (isDeeper(details, levelsMax)) return without(details, `nested deeper than ${levelsMax} levels`)
    structuredClone(details)
    return details
  } catch (error) {
    return without(details, `not clonable: ${String(error)}`)
  }
}

function without(details: ActorDetails, context: string): ActorDetails {
  return { ...details, context, lastEvents: details.lastEvents.map(({ event: _event, ...entry }) => entry) }
}

/** Looks level by level, as what is nested too deep cannot be walked by calls. */
function isDeeper(value: unknown, levels: number): boolean {
  const seen = new Set<unknown>()
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true
    const below: unknown[] = []
    for (const each of level) {
      if (typeof each !== 'object' || each === null || ArrayBuffer.isView(each) || seen.has(each)) continue
      seen.add(each)
      if (each instanceof Map) below.push(...each.keys(), ...each.values())
      else if (each instanceof Set) below.push(...each)
      else for (const key of Object.keys(each)) below.push((each as Record<string, unknown>)[key])
    }
    level = below
  }
  return false
}
