/**
 * The black box of a shard: type, actor, sequence and time of its last events, in shared memory, readable whatever became
 * of the thread that wrote them.
 *
 * ```
 * header   count of events written | epoch of the names          Int32 each
 * events   ring: atMs f64 | actor, incarnation, type, sequence i32   an event each; published by the count
 * names    two halves of fixed slots: bytes u8 | UTF-8               an address or event type each
 * ```
 * Events name actor and type by number. When a half is full the writer goes over to the other one and names afresh what
 * it meets, so names are bounded and never have to be given back. A half takes at least half as many events as it has
 * names before it is full: with that no less than the ring is long, no event of the ring outlives its names.
 */
import type { BlackBoxEntry } from '../../messages/thread/exit.ts'
import type { ShardEvent } from '../../messages/thread/fact.ts'

/** Events that are kept; a power of two. */
const eventsMax = 1_024
const namesPerHalf = eventsMax * 2
const nameBytes = 96
const headerBytes = 16
const fields = 4
const timesAt = headerBytes
const fieldsAt = timesAt + eventsMax * 8
const namesAt = fieldsAt + eventsMax * fields * 4

/** What an actor keeps for the writer. */
export interface BlackBoxOwner {
  readonly entry: { readonly address: string }
  readonly incarnation: number
  /** Number of its address, good as long as `boxEpoch` is the writer's. */
  boxName: number
  boxEpoch: number
}

/** A fresh black box, all zero: pages that are never written cost no memory. */
export function createBlackBox(): SharedArrayBuffer {
  return new SharedArrayBuffer(namesAt + 2 * namesPerHalf * nameBytes)
}

/** Writes a black box; a shard has one. */
export class BlackBoxWriter {
  readonly #header: Int32Array
  readonly #times: Float64Array
  readonly #fields: Int32Array
  readonly #names: Buffer
  readonly #types = new Map<string, number>()
  /** The type that came last, and its number. */
  #lastType = ''
  #lastTypeName: number | undefined
  #count = 0
  #epoch = 1
  #named = 0

  constructor(buffer: SharedArrayBuffer) {
    this.#header = new Int32Array(buffer, 0, headerBytes / 4)
    this.#times = new Float64Array(buffer, timesAt, eventsMax)
    this.#fields = new Int32Array(buffer, fieldsAt, eventsMax * fields)
    this.#names = Buffer.from(buffer as unknown as ArrayBuffer, namesAt)
  }

  /** Notes that an actor takes an event. */
  record(owner: BlackBoxOwner, type: string, sequence: number, atMs: number): void {
    let typeName = type === this.#lastType ? this.#lastTypeName : this.#types.get(type)
    if (typeName === undefined || owner.boxEpoch !== this.#epoch) typeName = this.#nameBoth(owner, type)
    this.#lastType = type
    this.#lastTypeName = typeName
    const slot = this.#count & (eventsMax - 1)
    const at = slot * fields
    this.#times[slot] = atMs
    this.#fields[at] = owner.boxName
    this.#fields[at + 1] = owner.incarnation
    this.#fields[at + 2] = typeName
    this.#fields[at + 3] = sequence
    this.#count = (this.#count + 1) | 0
    this.#header[0] = this.#count
  }

  #nameBoth(owner: BlackBoxOwner, type: string): number {
    // Both at once, so that a change of halves cannot come between them.
    if (this.#named + 2 > namesPerHalf) {
      this.#epoch++
      this.#named = 0
      this.#types.clear()
    }
    let typeName = this.#types.get(type)
    if (typeName === undefined) {
      typeName = this.#name(type)
      this.#types.set(type, typeName)
    }
    if (owner.boxEpoch !== this.#epoch) {
      owner.boxName = this.#name(owner.entry.address)
      owner.boxEpoch = this.#epoch
    }
    return typeName
  }

  #name(text: string): number {
    const name = (this.#epoch & 1) * namesPerHalf + this.#named++
    const at = name * nameBytes
    this.#names[at] = this.#names.write(text, at + 1, nameBytes - 1)
    return name
  }
}

/** What a black box holds, oldest first. To be called when its writer has ended: the event it was just writing is left out. */
export function readBlackBox(buffer: SharedArrayBuffer): ShardEvent[] {
  const count = new Int32Array(buffer, 0, 1)[0]!
  const times = new Float64Array(buffer, timesAt, eventsMax)
  const events = new Int32Array(buffer, fieldsAt, eventsMax * fields)
  const names = Buffer.from(buffer as unknown as ArrayBuffer, namesAt)
  const textOf = (name: number) => {
    const at = name * nameBytes
    return names.toString('utf8', at + 1, at + 1 + names[at]!)
  }
  const read: ShardEvent[] = []
  // The count wraps around; the oldest slot is the one that the next event overwrites.
  const whole = count >= 0 && count < eventsMax ? count : eventsMax - 1
  for (let back = whole; back > 0; back--) {
    const slot = (count - back) & (eventsMax - 1)
    const [actor, incarnation, type, sequence] = events.subarray(slot * fields, slot * fields + fields)
    read.push({
      address: textOf(actor!),
      incarnation: incarnation!,
      type: textOf(type!),
      sequence: sequence!,
      atMs: times[slot]!,
    })
  }
  return read
}

/** The incarnation that took the last event of an address; 0 when there is none. */
export function incarnationOf(events: readonly ShardEvent[], address: string): number {
  const name = nameOf(address)
  return events.findLast(event => event.address === name)?.incarnation ?? 0
}

/** The last events of one actor, of one incarnation where it is known (not 0). */
export function lastEventsOf(events: readonly ShardEvent[], address: string, incarnation = 0): BlackBoxEntry[] {
  const name = nameOf(address)
  return events
    .filter(event => event.address === name && (incarnation === 0 || event.incarnation === incarnation))
    .map(({ sequence, type, atMs }) => ({ sequence, type, atMs }))
}

/** An address as it comes out of a black box: cut to what a name has room for. */
function nameOf(address: string): string {
  const cut = Buffer.alloc(nameBytes - 1)
  return cut.toString('utf8', 0, cut.write(address))
}
