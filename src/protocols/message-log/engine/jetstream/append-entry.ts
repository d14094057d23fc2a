/** An append in the hands of the writer of its partition. */
import { endOfLogMessage } from '../../../../messages/log/message-v1.ts'
import type { AppendRequest, AppendResult } from '../contract.ts'

/** One append, until it is settled. */
export class AppendEntry {
  readonly request: AppendRequest
  /** Its messages, one by one: views. */
  readonly messages: readonly Uint8Array[]
  readonly promise: Promise<AppendResult>
  /** What the ids of its messages begin with, unless a producer and a place make them. */
  readonly name: string
  /** The offset of its first message, once it has a place. */
  baseOffset: number | undefined
  /** Messages of it that are stored already. */
  stored = 0
  /** JetStream refused it without saying why: each of its messages is to be answered. */
  careful = false
  /** When it is given up, if others keep coming first. */
  giveUpAtMs: number | undefined
  #resolve!: (result: AppendResult) => void
  #reject!: (error: unknown) => void

  constructor(request: AppendRequest, name: string) {
    this.request = request
    this.messages = splitMessages(request.messages)
    this.name = name
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get count(): number {
    return this.messages.length
  }

  get bytes(): number {
    return this.request.messages.length
  }

  /** What the ids of its messages begin with. The same append of a producer at the same place has the same, whoever sends it. */
  get batchId(): string {
    const { producer } = this.request
    if (producer === undefined) return this.name
    return `${producer.id.toString(16)}.${producer.sequence.toString(36)}.${this.baseOffset?.toString(36)}`
  }

  /** What stands for producer and sequence, if it has them. */
  get key(): string | undefined {
    return producerKey(this.request)
  }

  resolve(result: AppendResult): void {
    this.#resolve(result)
  }

  reject(error: unknown): void {
    this.#reject(error)
  }
}

/** @see AppendEntry.key */
export function producerKey({ producer }: AppendRequest): string | undefined {
  return producer === undefined ? undefined : `${producer.id}/${producer.sequence}`
}

function splitMessages(messages: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  const views: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = endOfLogMessage(bytes, at)
    views.push(bytes.subarray(at, end))
    at = end
  }
  return views
}
