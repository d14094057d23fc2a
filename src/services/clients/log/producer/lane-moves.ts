/**
 * What was to be sent to a topic that is gone: it waits until nothing of it is in flight, and goes to the topic of that name which
 * there is then, in its order and before anything newer.
 *
 * ```
 *   PARTITION_NOT_FOUND ─> all lanes of the topic retire ─> none has anything in flight ─> the topic is looked up ─> new lanes
 * ```
 */
import { StarfishError } from '../../../../messages/errors.ts'
import type { ProducerBatch } from './batch.ts'
import type { Lane } from './lane.ts'
import type { TopicLanes } from './topic-lanes.ts'

interface Move {
  readonly lanes: readonly Lane[]
  /** Those that have something in flight. */
  readonly unsettled: Set<Lane>
}

/** The moves of a producer, one for a topic at most. */
export class LaneMoves {
  readonly #moves = new Map<string, Move>()
  readonly #whenSettled: (topic: string) => void

  /** `whenSettled` is called for a topic of whose lanes none has anything in flight any more. */
  constructor(whenSettled: (topic: string) => void) {
    this.#whenSettled = whenSettled
  }

  has(topic: string): boolean {
    return this.#moves.has(topic)
  }

  /** Retires the lanes of a topic. */
  begin(topic: string, lanes: readonly Lane[]): void {
    for (const lane of lanes) lane.retire()
    const unsettled = new Set(lanes.filter(({ hasInFlight }) => hasInFlight))
    this.#moves.set(topic, { lanes, unsettled })
    if (unsettled.size === 0) this.#whenSettled(topic)
  }

  /** A lane that has retired has nothing in flight any more. */
  settled(lane: Lane): void {
    const move = this.#moves.get(lane.topic)
    if (move?.unsettled.delete(lane) && move.unsettled.size === 0) this.#whenSettled(lane.topic)
  }

  /** Ends a move; answers the lanes that had retired. */
  end(topic: string): readonly Lane[] {
    const lanes = this.#moves.get(topic)?.lanes ?? []
    this.#moves.delete(topic)
    return lanes
  }
}

/** Whether a batch of a lane may go to other partitions: the one it was for is gone, or it certainly was not stored there. */
export function mayMove(lane: Lane, batch: ProducerBatch, isThere: boolean): boolean {
  return !isThere || (lane.lostBy === undefined && batch.handled === 'no')
}

/** Spreads the messages of a batch anew; answers the bytes of those that name a partition which is gone, and were given up. */
export function moveMessages(topic: string, batch: ProducerBatch, lanes: TopicLanes): number {
  let bytesLost = 0
  const { handled } = batch
  batch.giveAll((message, bytes, delivery, at) => {
    const partition = delivery.partitionOf(at)
    if (partition === undefined || lanes.has(partition)) {
      lanes.laneFor(partition, message.key).add(message, bytes, delivery, at)
      return
    }
    bytesLost += bytes
    const text = `topic ${topic} has no partition ${partition} any more`
    delivery.failed(1, new StarfishError('PARTITION_NOT_FOUND', text, { details: { topic, partition }, handled }))
  })
  return bytesLost
}
