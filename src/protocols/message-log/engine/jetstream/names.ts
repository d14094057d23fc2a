/**
 * What a log is called in NATS. `store` keeps the logs of one NATS apart.
 *
 * ```
 * stream   <store>-topics            topics and their partitions, the last record of each topic
 * stream   <store>-partition-<id>    the messages of a partition, at sequence = offset + 1; made by the first who needs it
 * subject  <store>.topics.<name>             the name in base64url, since it may be any text
 * subject  <store>.partition.<id>.<producer> the producer in hexadecimal, or - for none
 * subject  <store>.turns                     not stored: nodes that ask others to let them write
 * subject  <store>.seen                      not stored: partitions whose stream somebody has seen
 * ```
 */

/** Names of one log. */
export interface StoreNames {
  readonly topics: string
  readonly topicSubjects: string
  readonly turns: string
  readonly seen: string
  topicSubject(topic: string): string
  partition(id: number): string
  partitionSubjects(id: number): string
  partitionSubject(id: number, producerId: bigint | undefined): string
  /** The partition whose stream that is; undefined for another stream. */
  partitionOf(stream: string): number | undefined
  /** Every stream of a partition has one of them. */
  readonly allPartitions: string
}

/** @see StoreNames */
export function storeNames(store: string): StoreNames {
  const prefix = `${store}-partition-`
  return {
    topics: `${store}-topics`,
    topicSubjects: `${store}.topics.*`,
    turns: `${store}.turns`,
    seen: `${store}.seen`,
    allPartitions: `${store}.partition.>`,
    topicSubject: topic => `${store}.topics.${Buffer.from(topic).toString('base64url')}`,
    partition: id => `${prefix}${id}`,
    partitionSubjects: id => `${store}.partition.${id}.*`,
    partitionSubject: (id, producerId) => `${store}.partition.${id}.${producerId?.toString(16) ?? '-'}`,
    partitionOf(stream) {
      const id = stream.startsWith(prefix) ? Number(stream.slice(prefix.length)) : Number.NaN
      return Number.isSafeInteger(id) ? id : undefined
    },
  }
}
