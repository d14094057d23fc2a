/**
 * Counters that the shards of one server share, so that its limits hold for the server and not for each shard.
 *
 * Every shard writes a section of its own and reads those of the others: a shard that dies takes nothing along, and its
 * replacement begins by emptying its section. Addresses are counted in buckets by a seeded hash; two addresses that
 * meet in one bucket share a limit, which an attacker who does not know the seed cannot arrange.
 *
 * ```
 * seed i32 | slots i32 | slot 0: connections i32, heldBytes i32, accepted i32, refused i32, requests f64, refusals i32*,
 *   buckets i32* | slot 1 …
 * ```
 */
import { StarfishError } from '../../messages/errors.ts'
import { hashAddress } from '../serving/address-hash.ts'
import { notCounted } from '../serving/connections.ts'
import { type RefusalKind, refusalKinds } from '../serving/refusals.ts'

const bucketCount = 32_768
const headInts = 2
const at = { connections: 0, heldBytes: 1, accepted: 2, refused: 3, requests: 4, refusals: 6 } as const
/** Ints of a slot before its buckets: even, since `requests` is a 64-bit float. */
const figureInts = at.refusals + 2 * Math.ceil(refusalKinds.length / 2)
const slotInts = figureInts + bucketCount

/** What a server has counted since it began; `connections` and `heldBytes` are of now. */
export interface ServerFigures {
  readonly connections: number
  /** Bytes held of bodies that have not come whole. */
  readonly heldBytes: number
  readonly accepted: number
  readonly refused: number
  /** Frames that were accepted and came whole. */
  readonly requests: number
  /** What was refused, and who was cut off, by its kind. */
  readonly refusals: Readonly<Record<RefusalKind, number>>
}

/** The section of one shard. */
export interface ShardCounters {
  /** Counts a connection of `address`; its bucket, or `notCounted` when the server or the address has as many as it may. */
  admit(address: string): number
  /** Undoes {@link ShardCounters.admit}. */
  release(bucket: number): void
  refuse(): void
  /** False when the server would hold more than its limit with `bytes` more. */
  mayHold(bytes: number): boolean
  held(changeBytes: number): void
  countRequests(count: number): void
  countRefusal(kind: RefusalKind): void
  /** Empties what is of now: connections, addresses, held bytes. */
  reset(): void
}

/** Limits that need the whole server's figures. */
export interface SharedLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly partialBytesMax: number
}

/** Memory for the counters of a server of `slots` shards. `seed` is any integer that outsiders do not know. */
export function createServerCounters(slots: number, seed: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer((headInts + slots * slotInts) * 4)
  const ints = new Int32Array(buffer)
  ints[0] = seed
  ints[1] = slots
  return buffer
}

/** Opens the section of shard `slot`. `BAD_CONFIG` when there is none. */
export function openShardCounters(buffer: SharedArrayBuffer, slot: number, limits: SharedLimits): ShardCounters {
  const ints = new Int32Array(buffer)
  const seed = ints[0]!
  const slots = ints[1]!
  if (!Number.isInteger(slot) || slot < 0 || slot >= slots) {
    throw new StarfishError('BAD_CONFIG', `counters have ${slots} slots, there is none for shard ${slot}`, {
      details: { option: 'counters', slots, slot },
    })
  }
  const mine = headInts + slot * slotInts
  const requests = new Float64Array(buffer, (mine + at.requests) * 4, 1)

  function sum(offset: number): number {
    let total = 0
    for (let index = 0; index < slots; index++) total += Atomics.load(ints, headInts + index * slotInts + offset)
    return total
  }

  function release(bucket: number): void {
    Atomics.sub(ints, mine + figureInts + bucket, 1)
    Atomics.sub(ints, mine + at.connections, 1)
  }

  return {
    admit(address) {
      const bucket = hashAddress(address, seed) % bucketCount
      // Counted first, then compared: shards that accept at once may refuse one too many, never admit one.
      Atomics.add(ints, mine + at.connections, 1)
      Atomics.add(ints, mine + figureInts + bucket, 1)
      if (sum(at.connections) > limits.connectionsMax || sum(figureInts + bucket) > limits.connectionsPerAddressMax) {
        release(bucket)
        return notCounted
      }
      Atomics.add(ints, mine + at.accepted, 1)
      return bucket
    },
    release,
    refuse: () => void Atomics.add(ints, mine + at.refused, 1),
    mayHold: bytes => sum(at.heldBytes) + bytes <= limits.partialBytesMax,
    held: changeBytes => void Atomics.add(ints, mine + at.heldBytes, changeBytes),
    countRequests(count) {
      requests[0]! += count
    },
    countRefusal: kind => void Atomics.add(ints, mine + at.refusals + refusalKinds.indexOf(kind), 1),
    reset() {
      Atomics.store(ints, mine + at.connections, 0)
      Atomics.store(ints, mine + at.heldBytes, 0)
      for (let bucket = 0; bucket < bucketCount; bucket++) Atomics.store(ints, mine + figureInts + bucket, 0)
    },
  }
}

/** The figures of all shards together, or of shard `slot`. Can be read on any thread at any time. */
export function readServerCounters(buffer: SharedArrayBuffer, slot?: number): ServerFigures {
  const ints = new Int32Array(buffer)
  const refusals = Object.fromEntries(refusalKinds.map(kind => [kind, 0])) as Record<RefusalKind, number>
  const figures = { connections: 0, heldBytes: 0, accepted: 0, refused: 0, requests: 0, refusals }
  for (let index = slot ?? 0; index <= (slot ?? ints[1]! - 1); index++) {
    const base = headInts + index * slotInts
    figures.connections += Atomics.load(ints, base + at.connections)
    figures.heldBytes += Atomics.load(ints, base + at.heldBytes)
    figures.accepted += Atomics.load(ints, base + at.accepted) >>> 0
    figures.refused += Atomics.load(ints, base + at.refused) >>> 0
    figures.requests += new Float64Array(buffer, (base + at.requests) * 4, 1)[0]!
    refusalKinds.forEach((kind, index) => {
      refusals[kind] += Atomics.load(ints, base + at.refusals + index) >>> 0
    })
  }
  return figures
}
