/** What waits in a producer, and for how long at most. */
import { Deadline } from '../../../../actors/runtime/deadlines.ts'
import type { LogMessage } from '../../../../messages/log/message-v1.ts'
import type { ProducerMessage } from '../message.ts'
import type { ProducerBatch } from './batch.ts'
import type { Delivery } from './delivery.ts'
import type { Lane } from './lane.ts'

/** The messages of one call of `send`. */
export interface Sent {
  readonly topic: string
  readonly messages: readonly ProducerMessage[]
  /** The same, as they are written. */
  readonly written: readonly LogMessage[]
  /** Bytes of each of them, and of all. */
  readonly sizes: readonly number[]
  readonly bytes: number
  readonly delivery: Delivery
}

/** A send in line. */
export class WaitingSend extends Deadline {
  readonly sent: Sent

  constructor(sent: Sent) {
    super()
    this.sent = sent
  }
}

/** A batch that waits for more messages. */
export class Linger extends Deadline {
  readonly lane: Lane
  readonly batch: ProducerBatch

  constructor(lane: Lane, batch: ProducerBatch) {
    super()
    this.lane = lane
    this.batch = batch
  }
}
