/**
 * A message log in the memory of one thread: for tests, and for logs that need not outlive their process. Every append is
 * committed within its call, whatever acknowledgement it asks for; nothing outlives `close`.
 */
import { Advances, whenAdvanced } from '../advances.ts'
import type {
  AppendRequest,
  AppendResult,
  LogEngine,
  LogEngineContext,
  ReadResult,
  RetentionPolicy,
  RetentionResult,
  Topic,
} from '../contract.ts'
import { defineLogEngine } from '../define-log-engine.ts'
import {
  checkAppend,
  checkTopic,
  partitionNotFound,
  storeClosed,
  topicExists,
  topicNotFound,
} from '../engine-errors.ts'
import { MemoryPartition } from './memory-partition.ts'

const store = 'the log in memory'

class MemoryEngine implements LogEngine {
  readonly #context: LogEngineContext
  readonly #advances: Advances
  readonly #topics = new Map<string, Topic>()
  readonly #partitions = new Map<number, MemoryPartition>()
  #list: readonly Topic[] | undefined
  #nextPartitionId = 1
  #closed = false

  constructor(context: LogEngineContext) {
    this.#context = context
    this.#advances = new Advances(context.advances)
  }

  createTopic(name: string, partitions: number): Topic {
    this.#checkOpen()
    checkTopic(name, partitions)
    if (this.#topics.has(name)) throw topicExists(name)
    const partitionIds = Array.from({ length: partitions }, () => this.#nextPartitionId++)
    for (const id of partitionIds) this.#partitions.set(id, new MemoryPartition(id, store))
    const topic = { name, partitionIds }
    this.#topics.set(name, topic)
    this.#list = undefined
    return topic
  }

  deleteTopic(name: string): void {
    this.#checkOpen()
    const topic = this.#topics.get(name)
    if (topic === undefined) throw topicNotFound(name)
    this.#topics.delete(name)
    this.#list = undefined
    for (const id of topic.partitionIds) this.#partitions.delete(id)
    for (const id of topic.partitionIds) this.#advances.tell(id)
  }

  listTopics(): readonly Topic[] {
    this.#checkOpen()
    this.#list ??= [...this.#topics.values()]
    return this.#list
  }

  append(request: AppendRequest): AppendResult {
    const partition = this.#partition(request.partitionId)
    checkAppend(request)
    const { baseOffset, stored } = partition.append(request, this.#context.clock.now())
    this.#advances.tell(request.partitionId)
    return { baseOffset, stored }
  }

  highWaterMark(partitionId: number): number {
    return this.#partition(partitionId).highWaterMark
  }

  read(partitionId: number, offset: number, maxBytes: number): ReadResult {
    return this.#partition(partitionId).read(offset, maxBytes)
  }

  whenPast(partitionId: number, offset: number, signal: AbortSignal): Promise<void> {
    return whenAdvanced(this.#advances, partitionId, offset, id => this.highWaterMark(id), signal)
  }

  async retain(policy: RetentionPolicy): Promise<RetentionResult> {
    this.#checkOpen()
    const nowMs = this.#context.clock.now()
    let batches = 0
    let bytes = 0
    for (const partition of this.#partitions.values()) {
      const [removed, removedBytes] = partition.retain(policy, nowMs)
      batches += removed
      bytes += removedBytes
    }
    return { batches, bytes }
  }

  close(): void {
    this.#closed = true
    this.#topics.clear()
    this.#partitions.clear()
    this.#advances.wakeOwn()
  }

  #partition(id: number): MemoryPartition {
    this.#checkOpen()
    const partition = this.#partitions.get(id)
    if (partition === undefined) throw partitionNotFound(id)
    return partition
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed(store)
  }
}

/** The engine in memory. It takes no options. */
export const memoryLogEngine = defineLogEngine(import.meta.url, 'memoryLogEngine', {
  open: (_options: undefined, context) => new MemoryEngine(context),
})
