/**
 * How nodes that write one partition at once let each other in. A node that is always in the middle of a chain would leave no moment in
 * which another's first message fits: so who was refused asks aloud, and who hears it makes a pause when its chain is done. What
 * is asked is stored nowhere and may be lost; fences hold without it.
 */
import type { Subscription } from '@nats-io/transport-node'
import type { JetstreamConnection } from './connection.ts'

/** The asking of one node. */
export class Turns {
  readonly #connection: JetstreamConnection
  readonly #subject: string
  readonly #node: string
  readonly #subscription: Subscription

  /** `node` is what nobody else is called. `onAsked` is told when another asks to write a partition. */
  constructor(connection: JetstreamConnection, subject: string, node: string, onAsked: (partitionId: number) => void) {
    this.#connection = connection
    this.#subject = subject
    this.#node = node
    this.#subscription = connection.subscribe(subject, message => {
      const [asker, partitionId] = message.string().split(' ')
      if (asker !== node) onAsked(Number(partitionId))
    })
  }

  /** Asks all others to make a pause in that partition. @throws `STORAGE_FAILED` unless it is connected. */
  ask(partitionId: number): void {
    this.#connection.publish(this.#subject, `${this.#node} ${partitionId}`)
  }

  close(): void {
    this.#subscription.unsubscribe()
  }
}
