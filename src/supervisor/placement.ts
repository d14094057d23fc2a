/**
 * Where a top-level actor or a tree lives. A supervisor lives where its spec says, else with its children: on their shard
 * when they share one, on the main thread when they do not.
 */
import type { StarfishError } from '../messages/errors.ts'
import { optionError } from '../messages/option-faults.ts'
import type { ResolvedChildSpec } from './child-spec.ts'

/** What placement needs to know; -1 stands for the main thread. */
export interface Places {
  readonly shards: number
  leastLoaded(): number
  /** The shard of an address that exists. */
  find(address: string): number | undefined
}

/**
 * The shard for a top-level actor or tree, -1 for the main thread, `own` for a shard that is to be opened for it. Throws
 * BAD_SPEC for one that does not exist.
 */
export function choosePlace(spec: ResolvedChildSpec, places: Places): number | 'own' {
  if (places.shards === 0) return -1
  if (spec.shard === 'own') {
    collect(spec, places, new Set())
    return 'own'
  }
  const wanted = new Set<Wanted>()
  collect(spec, places, wanted)
  wanted.delete('auto')
  const [only, other] = wanted
  if (only === undefined) return places.leastLoaded()
  return other === undefined && typeof only === 'number' ? only : -1
}

/** A child that wants a shard of its own has its supervisor live on the main thread. */
type Wanted = number | 'auto' | 'own'

function collect(spec: ResolvedChildSpec, places: Places, wanted: Set<Wanted>): void {
  const place = placeOf(spec.id, spec.shard, places)
  if (spec.kind === 'actor' || place !== 'auto') wanted.add(place)
  if (spec.kind === 'actor') return
  const ofChildren = place === 'auto' ? wanted : new Set<Wanted>()
  for (const child of spec.children) {
    collect(child, places, ofChildren)
    if (place === 'auto' || place === -1) continue
    const other = [...ofChildren].find(each => each !== 'auto' && (each !== place || each === 'own'))
    if (other !== undefined)
      throw badPlace(
        child.id,
        `is ${nameOf(other)}, but its supervisor lives on ${place === 'own' ? 'a shard of its own' : `shard ${place}`}`,
      )
  }
}

function nameOf(place: Wanted): number | string {
  return place === -1 ? 'main' : place
}

function placeOf(id: string, shard: ResolvedChildSpec['shard'], places: Places): Wanted {
  if (shard === 'auto' || shard === 'own') return shard
  if (shard === 'main') return -1
  if (typeof shard === 'number') {
    if (shard >= places.shards) throw badPlace(id, `is ${shard}, but there are only ${places.shards}`)
    return shard
  }
  const found = places.find(shard.with)
  if (found === undefined) throw badPlace(id, `is with ${shard.with}, but no actor has that address`)
  return found
}

function badPlace(id: string, reason: string): StarfishError {
  return optionError('BAD_SPEC', `bad specification of ${id}`, [{ path: 'shard', reason }])
}
