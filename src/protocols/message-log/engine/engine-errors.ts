/** The refusals of engines, and the checks that all of them make. */
import { type Handled, StarfishError } from '../../../messages/errors.ts'
import { createFaults } from '../../../messages/option-faults.ts'
import { type AppendRequest, type StorageFault, topicLimits } from './contract.ts'

/** `PARTITION_NOT_FOUND`. */
export function partitionNotFound(partitionId: number): StarfishError {
  return new StarfishError('PARTITION_NOT_FOUND', `there is no partition ${partitionId}`, {
    details: { partitionId },
    handled: 'no',
  })
}

/** `OFFSET_OUT_OF_RANGE`, with the range there is. */
export function offsetOutOfRange(
  partitionId: number,
  offset: number,
  firstOffset: number,
  highWaterMark: number,
): StarfishError {
  const text = `partition ${partitionId} has offsets from ${firstOffset} to its end ${highWaterMark}, not ${offset}`
  return new StarfishError('OFFSET_OUT_OF_RANGE', text, {
    details: { partitionId, offset, firstOffset, highWaterMark },
    handled: 'no',
  })
}

/** `TOPIC_NOT_FOUND`. */
export function topicNotFound(name: string): StarfishError {
  return new StarfishError('TOPIC_NOT_FOUND', `there is no topic ${name}`, { details: { name }, handled: 'no' })
}

/** `TOPIC_EXISTS`. */
export function topicExists(name: string): StarfishError {
  return new StarfishError('TOPIC_EXISTS', `there is a topic ${name} already`, { details: { name }, handled: 'no' })
}

/** `STORAGE_FAILED`. `store` is what it is known by: a path. */
export function storageFailed(
  reason: StorageFault,
  store: string,
  text: string,
  handled: Handled,
  cause?: unknown,
): StarfishError {
  return new StarfishError('STORAGE_FAILED', `${store}: ${text}`, { details: { reason, store }, handled, cause })
}

/** What everything is refused with once a store is closed. */
export function storeClosed(store: string): StarfishError {
  return storageFailed('closed', store, 'the store is closed', 'no')
}

/** What a repeat is refused with whose answer is not kept any more. */
export function sequenceExpired(store: string, partitionId: number, sequence: number): StarfishError {
  const text = `sequence ${sequence} to partition ${partitionId} is older than the answers that are kept of its producer`
  return storageFailed('sequenceExpired', store, text, 'unknown')
}

/** @throws `BAD_CONFIG` for a topic that cannot be. */
export function checkTopic(name: string, partitions: number): void {
  const faults = createFaults()
  faults.name('name', name)
  if (!name.isWellFormed()) faults.add('name', 'is not well-formed')
  const { nameBytesMax, partitionsMax } = topicLimits
  if (Buffer.byteLength(name) > nameBytesMax) faults.add('name', `has more than ${nameBytesMax} bytes`)
  faults.whole('partitions', partitions, 1, partitionsMax)
  faults.throwIfAny('BAD_CONFIG', 'createTopic')
}

/** @throws `BAD_CONFIG` for a batch that cannot be. */
export function checkAppend({ count, messages, producer }: AppendRequest): void {
  if (Number.isInteger(count) && count > 0 && messages.length > 0 && isSequence(producer)) return
  const faults = createFaults()
  faults.whole('count', count, 1, 0xffff_ffff)
  if (messages.length === 0) faults.add('messages', 'has no bytes')
  if (producer !== undefined) {
    faults.whole('producer.sequence', producer.sequence, 0, 0xffff_ffff)
    if (BigInt.asUintN(64, producer.id) !== producer.id) faults.add('producer.id', 'is not from 0 to 2^64 - 1')
  }
  faults.throwIfAny('BAD_CONFIG', 'append')
}

function isSequence(producer: AppendRequest['producer']): boolean {
  if (producer === undefined) return true
  const { id, sequence } = producer
  return BigInt.asUintN(64, id) === id && sequence >>> 0 === sequence
}
