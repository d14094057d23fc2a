/**
 * Appends to one partition, a chain after the other.
 *
 * ```
 * append -> queue -> chain: all that waits, up to its limits -> stored:  answered, the next chain
 *                                                            -> refused: what is stored of it? the rest goes to the front of the queue
 *                                                            -> unknown: rejected, and the end of the partition is looked for anew
 * ```
 * What of a refused chain is stored is its beginning. An append that is there in part is gone on with if nobody has written behind it;
 * otherwise that is its result, and the appends behind it are sent again, behind the other's.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createFaults } from '../../../../messages/option-faults.ts'
import type { AppendRequest, AppendResult } from '../contract.ts'
import { sequenceExpired, storageFailed } from '../engine-errors.ts'
import { AppendChain, type ChainTarget, type PartitionEnd } from './append-chain.ts'
import { AppendEntry, producerKey } from './append-entry.ts'
import type { JetstreamConnection } from './connection.ts'
import {
  isConflict,
  isUnheard,
  jetstreamFault,
  outcomeUnknown,
  type PublishFault,
  publishRefused,
} from './jetstream-faults.ts'
import { storedOf } from './stored-of.ts'
import type { Streams } from './streams.ts'

/** What a chain has of the queue: at least one append, and no more of them beyond that. */
const chainMessages = 2_048
const chainBytes = 4_194_304
/** Of the largest message that NATS takes. */
const headersBytesMax = 2_048
/** How long a node that was asked leaves the partition to others, ms, and how long who asked waits before it tries again. */
const pauseMs = 8
const retryMs = 2

/** What a writer works with. */
export interface PartitionAccess extends Omit<ChainTarget, 'subjectOf' | 'connection'> {
  readonly connection: JetstreamConnection
  readonly partitionId: number
  readonly stream: string
  readonly streams: Streams
  subjectOf(producerId: bigint | undefined): string
  /** Finds the end of the partition. Rejects with `PARTITION_NOT_FOUND`, `STORAGE_FAILED`. */
  end(): Promise<PartitionEnd>
  /** Asks other nodes to make a pause. */
  askForTurn(): void
  now(): number
}

/** The writer of a partition. */
export class PartitionWriter {
  readonly #access: PartitionAccess
  readonly #inHand = new Map<string, AppendEntry>()
  #queue: AppendEntry[] = []
  #end: PartitionEnd | undefined
  #working: Promise<void> | undefined
  /** Another node asked for a turn. */
  #asked = false
  #leftUntilMs = 0
  /** Another node wrote when this one did. */
  #contended = false

  constructor(access: PartitionAccess) {
    this.#access = access
  }

  /** Resolves when nothing is in hand. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  /** Leaves the partition to others for a moment: from now on, or from the end of the chain that it is sending. */
  makePause(): void {
    if (this.#working === undefined) this.#leave()
    else this.#asked = true
  }

  #leave(): void {
    this.#asked = false
    this.#leftUntilMs = performance.now() + pauseMs * (1 + Math.random())
  }

  /** `name` is what no other append of any node is called. */
  append(request: AppendRequest, name: string): Promise<AppendResult> {
    const key = producerKey(request)
    const inHand = key === undefined ? undefined : this.#inHand.get(key)
    if (inHand !== undefined) return inHand.promise
    const entry = new AppendEntry(request, name)
    this.#checkSizes(entry)
    if (key !== undefined) this.#inHand.set(key, entry)
    this.#queue.push(entry)
    this.#working ??= this.#work()
    return entry.promise
  }

  /** @throws `BAD_CONFIG`. */
  #checkSizes({ messages }: AppendEntry): void {
    const bytesMax = this.#access.connection.payloadBytesMax - headersBytesMax
    const index = messages.findIndex(({ length }) => length > bytesMax)
    if (index < 0) return
    const faults = createFaults()
    faults.add(
      `messages[${index}]`,
      `has ${messages[index]!.length} bytes, and NATS takes ${bytesMax} (its max_payload)`,
    )
    faults.throwIfAny('BAD_CONFIG', 'append')
  }

  async #work(): Promise<void> {
    // All appends of a turn of the event loop are in the first chain.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      try {
        await this.#round()
      } catch (cause) {
        this.#end = undefined
        const error = jetstreamFault(cause, this.#access.connection.store, 'no')
        for (const entry of this.#queue.splice(0)) this.#refuse(entry, entry.stored > 0 ? outcomeUnknown(error) : error)
      }
    }
    if (this.#asked) this.#leave()
    this.#working = undefined
  }

  async #round(): Promise<void> {
    if (this.#asked) this.#leave()
    const pause = this.#leftUntilMs - performance.now()
    if (pause > 0) {
      await delay(pause)
      this.#end = undefined
    }
    this.#end ??= await this.#findEnd()
    const taken = await this.#take()
    const end = this.#end
    const chain = new AppendChain(this.#placed(taken, end), end, this.#access.now())
    if (chain.length === 0) return
    const outcome = await chain.send({
      ...this.#access,
      subjectOf: ({ request }) => this.#access.subjectOf(request.producer?.id),
    })
    this.#end = outcome.type === 'stored' ? chain.end : undefined
    if (outcome.type === 'stored') for (const entry of chain.entries) this.#settle(entry, entry.count)
    else if (outcome.type === 'unknown') for (const entry of chain.entries) this.#refuse(entry, outcome.error)
    else await this.#recover(chain, outcome.fault)
  }

  /** The end of the partition. While others write, one that stands still: a chain is not to end up in the middle of theirs. */
  async #findEnd(): Promise<PartitionEnd> {
    const { producers, connection } = this.#access
    producers.distrust()
    let end = await this.#access.end()
    const giveUpAtMs = performance.now() + connection.requestTimeoutMs
    while (this.#contended && performance.now() < giveUpAtMs) {
      await delay(retryMs)
      const before = end.sequence
      end = await this.#access.end()
      this.#contended = end.sequence !== before
      if (this.#contended) this.#access.askForTurn()
    }
    return end
  }

  /** The appends of the next chain, with what is known of their producers. */
  async #take(): Promise<AppendEntry[]> {
    const { producers } = this.#access
    const [first] = this.#queue
    let messages = 0
    let bytes = 0
    const last = this.#queue.findIndex(entry => {
      messages += entry.count
      bytes += entry.bytes
      return entry !== first && (messages > chainMessages || bytes > chainBytes || first?.careful)
    })
    const count = last < 0 ? this.#queue.length : last
    producers.trim()
    const ids = new Set(this.#queue.slice(0, count).flatMap(({ request: { producer } }) => producer?.id ?? []))
    await Promise.all([...ids].filter(id => producers.get(id) === undefined).map(id => producers.load(id)))
    await this.#lookAtTorn([...ids].filter(id => producers.get(id)?.torn !== undefined))
    return this.#queue.splice(0, count)
  }

  /**
   * A batch that is there in part was torn by a death, or another node is in the middle of it: looks until it stands still, first at
   * the end of the partition and then at the batch, so that what is behind the batch is known to be another's.
   */
  async #lookAtTorn(ids: readonly bigint[]): Promise<void> {
    const { producers } = this.#access
    for (let moves = ids.length > 0; moves; ) {
      const end = await this.#access.end()
      this.#end = end
      const states = await Promise.all(ids.map(id => producers.load(id)))
      moves = states.some(({ torn }) => torn !== undefined && torn.baseOffset + torn.stored > end.sequence)
      if (moves) await delay(retryMs)
    }
  }

  /** Those that are to be sent, in order: repeats are answered, and what was begun comes first if it can be gone on with. */
  #placed(taken: readonly AppendEntry[], end: PartitionEnd): AppendEntry[] {
    const begun = taken.find(entry => this.#goesOn(entry, end))
    const others = taken.filter(entry => entry !== begun && !this.#isAnswered(entry))
    return begun === undefined ? others : [begun, ...others]
  }

  /** Whether a part of it is stored at the end of the partition: by this node, or by one that did not live to go on. */
  #goesOn(entry: AppendEntry, { sequence }: PartitionEnd): boolean {
    const { producer } = entry.request
    const torn = producer && this.#access.producers.get(producer.id)?.torn
    if (
      entry.stored === 0 &&
      torn !== undefined &&
      torn.sequence === producer?.sequence &&
      torn.count === entry.count
    ) {
      entry.baseOffset = torn.baseOffset
      entry.stored = torn.stored
    }
    return entry.stored > 0 && entry.baseOffset! + entry.stored === sequence
  }

  #isAnswered(entry: AppendEntry): boolean {
    const { partitionId, producers, connection } = this.#access
    const { producer } = entry.request
    if (entry.stored > 0) {
      this.#settle(entry, entry.stored)
      return true
    }
    const known =
      producer === undefined ? 'new' : (producers.get(producer.id)?.answers.find(producer.sequence) ?? 'new')
    if (known === 'new') return false
    if (known === 'expired') {
      this.#refuse(entry, sequenceExpired(connection.store, partitionId, producer!.sequence))
    } else {
      entry.baseOffset = known.baseOffset
      this.#settle(entry, known.stored)
    }
    return true
  }

  async #recover(chain: AppendChain, fault: PublishFault): Promise<void> {
    const { connection, streams, stream } = this.#access
    try {
      const end = await this.#access.end()
      const behind = chain.startSequence + (await storedOf(chain, end.sequence, streams, stream))
      const others = end.sequence > behind
      const back = chain.entries.filter(entry => !this.#isSettledBy(entry, behind, others))
      const [head] = back
      const goesBack = head === undefined || (await this.#mayTryAgain(head, fault, others))
      this.#queue.unshift(...(goesBack ? back : back.slice(1)))
    } catch (cause) {
      const error = outcomeUnknown(jetstreamFault(cause, connection.store, 'unknown'))
      for (const entry of chain.entries) this.#refuse(entry, error)
    }
  }

  /** Settles what of a refused chain is stored, whole or in part with another's messages behind it. */
  #isSettledBy(entry: AppendEntry, behind: number, others: boolean): boolean {
    const stored = Math.min(entry.count, Math.max(entry.stored, behind - entry.baseOffset!))
    if (stored === entry.count || (stored > 0 && others)) {
      this.#settle(entry, stored)
      return true
    }
    entry.stored = stored
    if (stored === 0) entry.baseOffset = undefined
    return false
  }

  /** Whether the first append that is not stored is to be sent again; if not, it is settled. */
  async #mayTryAgain(head: AppendEntry, fault: PublishFault, others: boolean): Promise<boolean> {
    const { connection } = this.#access
    const beaten = isConflict(fault) && others
    if (beaten || isUnheard(fault)) {
      head.giveUpAtMs ??= performance.now() + connection.requestTimeoutMs
      if (performance.now() < head.giveUpAtMs) {
        if (beaten) {
          this.#contended = true
          this.#access.askForTurn()
        }
        await delay(retryMs * (1 + Math.random()))
        return true
      }
    }
    if (beaten) {
      this.#refuse(head, storageFailed('busy', connection.store, 'other nodes keep writing the partition', 'no'))
      return false
    }
    if (isConflict(fault) && !head.careful) {
      // A message before the one that was answered was refused: which, and why, is seen when each is answered.
      head.careful = true
      return true
    }
    if (head.stored > 0) this.#settle(head, head.stored)
    else this.#refuse(head, publishRefused(fault, connection.store))
    return false
  }

  #settle(entry: AppendEntry, stored: number): void {
    this.#forget(entry)
    entry.resolve({ baseOffset: entry.baseOffset!, stored })
  }

  #refuse(entry: AppendEntry, error: unknown): void {
    this.#forget(entry)
    entry.reject(error)
  }

  #forget({ key }: AppendEntry): void {
    if (key !== undefined) this.#inHand.delete(key)
  }
}
