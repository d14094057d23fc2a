/** Whether there is room for another topic: all of them together must stay a list that clients can be given. Pure. */
import { createFaults } from '../../../messages/option-faults.ts'
import type { Topic } from '../engine/contract.ts'

/** What all topics of a server may have together. */
export interface TopicRoom {
  /** Partitions. */
  readonly partitionsMax: number
  /** Bytes of the answer to ListTopics, its length field not counted. */
  readonly frameBytesMax: number
}

/** Header and checksum of the answer, and its count of topics. */
const bytesBesideTopics = 19
/** Of each topic beside its name, and of each partition. */
const topicBytes = 6
const partitionBytes = 4

/** Says nothing of a name that is taken. @throws `BAD_CONFIG` that names the limit which another topic of so many partitions would be over. */
export function checkTopicRoom(topics: readonly Topic[], name: string, partitions: number, room: TopicRoom): void {
  if (topics.some(topic => topic.name === name)) return
  let all = partitions
  let bytes = bytesBesideTopics + bytesOf(name, partitions)
  for (const { name: taken, partitionIds } of topics) {
    all += partitionIds.length
    bytes += bytesOf(taken, partitionIds.length)
  }
  const { partitionsMax, frameBytesMax } = room
  const faults = createFaults()
  if (all > partitionsMax) {
    faults.add('partitions', `would make ${all} of all topics together; partitionsMax is ${partitionsMax}`)
  } else if (bytes > frameBytesMax) {
    faults.add('name', `would make the list of topics ${bytes} bytes; frameBytesMax is ${frameBytesMax}`)
  }
  faults.throwIfAny('BAD_CONFIG', 'createTopic')
}

function bytesOf(name: string, partitions: number): number {
  return topicBytes + Buffer.byteLength(name) + partitionBytes * partitions
}
