/** The requests that an incarnation has taken, not answered, and kept for later. */
import { type Keyed, KeyedTable } from '../../actors/runtime/keyed-table.ts'
import type { ReplyToken } from '../../actors/runtime/runtime-actions.ts'

/** A request that was taken and is not answered yet. Its key is its id, which it has from its asker. */
export interface KeptRequest extends Keyed {
  readonly token: ReplyToken
  /** Event type of the request. */
  readonly type: string
  /** When its asker stops waiting, ms since the epoch. */
  readonly deadlineMs: number
}

/** Kept requests from which on those are looked for that nobody waits for any more. */
const keptMin = 64

/** The requests of one incarnation. Those whose deadline has passed are forgotten before there are twice as many as are waited for. */
export class KeptRequests {
  /** By the incarnation of a shard that asks. */
  readonly #askers = new Map<number, KeyedTable<KeptRequest>>()
  #size = 0
  /** How many there may be before they are looked through. */
  #keptMax = keptMin

  get size(): number {
    return this.#size
  }

  /** Keeps one; `nowMs` is the time by which others may be late. */
  keep(request: Omit<KeptRequest, 'key'>, nowMs: number): void {
    if (this.#size >= this.#keptMax) this.#forgetLate(nowMs)
    const { token, type, deadlineMs } = request
    const asker = askerOf(token)
    let requests = this.#askers.get(asker)
    if (requests === undefined) {
      requests = new KeyedTable()
      this.#askers.set(asker, requests)
    }
    requests.add({ key: token.requestId, token, type, deadlineMs })
    this.#size++
  }

  /** Forgets one that is answered. */
  close(token: ReplyToken): void {
    if (this.#size === 0) return
    if (this.#askers.get(askerOf(token))?.take(token.requestId) !== undefined) this.#size--
  }

  /** Takes all of them out. */
  drain(): KeptRequest[] {
    const all = [...this.#askers.values()].flatMap(requests => requests.inOrder())
    this.#askers.clear()
    this.#size = 0
    return all
  }

  #forgetLate(nowMs: number): void {
    for (const [asker, requests] of this.#askers) {
      for (const { key, deadlineMs } of requests.inOrder()) {
        if (deadlineMs < nowMs && requests.take(key) !== undefined) this.#size--
      }
      if (requests.size === 0) this.#askers.delete(asker)
    }
    this.#keptMax = Math.max(keptMin, this.#size * 2)
  }
}

/** The number of an asker: shards are numbered from -1, and there are few. */
function askerOf({ shard, shardIncarnation }: ReplyToken): number {
  return shardIncarnation * 65_536 + shard + 1
}
