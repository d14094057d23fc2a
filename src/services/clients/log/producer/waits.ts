/** What waits in a producer, and for how long at most. */
import { Deadline } from '../../../../actors/runtime/deadlines.ts'
import { type ProducerMessage, takenMessage } from '../message.ts'
import type { ProducerBatch } from './batch.ts'
import type { Delivery } from './delivery.ts'
import type { Lane } from './lane.ts'

/** A send that is not spread over lanes yet: it may have to wait in line. */
export class WaitingSend extends Deadline {
  readonly topic: string
  /** Its own: those of the sender may change meanwhile. */
  readonly messages: readonly ProducerMessage[]
  /** When it was asked for: the time of messages that name none. */
  readonly atMs: number
  /** Of all its messages. */
  readonly bytes: number
  readonly delivery: Delivery

  constructor(topic: string, messages: readonly ProducerMessage[], atMs: number, bytes: number, delivery: Delivery) {
    super()
    this.topic = topic
    this.messages = messages.map(takenMessage)
    this.atMs = atMs
    this.bytes = bytes
    this.delivery = delivery
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
