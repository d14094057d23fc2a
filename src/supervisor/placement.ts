/**
 * Where a top-level actor or a tree lives. A supervisor lives with its children: on their shard when they share one,
 * on the main thread when they do not.
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

/** The shard for a top-level actor or tree, -1 for the main thread. Throws BAD_SPEC for one that does not exist. */
export function choosePlace(spec: ResolvedChildSpec, places: Places): number {
  if (places.shards === 0) return -1
  const wanted = new Set<number | 'auto'>()
  collect(spec, places, wanted)
  wanted.delete('auto')
  const [only, other] = wanted
  if (only === undefined) return places.leastLoaded()
  return other === undefined ? (only as number) : -1
}

function collect(spec: ResolvedChildSpec, places: Places, wanted: Set<number | 'auto'>): void {
  if (spec.kind === 'supervisor') {
    for (const child of spec.children) collect(child, places, wanted)
    return
  }
  wanted.add(placeOf(spec.id, spec.shard, places))
}

function placeOf(id: string, shard: (ResolvedChildSpec & { kind: 'actor' })['shard'], places: Places): number | 'auto' {
  if (shard === 'auto') return 'auto'
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
