/**
 * Produce, version 1: stores a batch of messages behind those that a partition has. Big-endian.
 *
 * | request field | size                    |
 * |---------------|-------------------------|
 * | producerId    | u64, with flag producer |
 * | sequence      | u32, with flag producer |
 * | partitionId   | u32                     |
 * | count         | u32, at least 1         |
 * | message*      | see message-v1.ts       |
 *
 * | response field | size                                   |
 * |----------------|----------------------------------------|
 * | partitionId    | u32                                    |
 * | baseOffset     | u64, offset of the first message       |
 * | stored         | u32, at least 1, with status partial   |
 */
import { StarfishError } from '../errors.ts'
import { checkField } from '../wire/check-field.ts'
import { copyBytes, writeU32, writeU64 } from '../wire/in-place.ts'
import { type LogBatch, takeLogBatch } from './batch-v1.ts'
import { type Acknowledgement, acknowledgements, LOG_VERSION, logFlag, logStatus, logType } from './codes.ts'
import { type LogOperation, logOk } from './operation.ts'

/** Who produces, so that a request that is sent again is stored once. */
export interface ProducerSequence {
  /** u64: chosen at random, so every bit of it counts. */
  readonly producerId: bigint
  /** Counts the Produce requests of the producer to the partition, from 0. */
  readonly sequence: number
}

/** A Produce as its sender means it. */
export interface ProduceRequest {
  readonly partitionId: number
  readonly acknowledgement: Acknowledgement
  readonly producer?: ProducerSequence | undefined
  readonly batch: LogBatch
}

/** What became of a batch. */
export interface ProduceResponse {
  readonly partitionId: number
  /** Offset of the first message of the batch. */
  readonly baseOffset: number
  /** Only a prefix of the batch was stored. */
  readonly partial?: PartialBatch | undefined
}

/** A batch that was not stored whole. */
export interface PartialBatch {
  /** Messages that were, at least 1. */
  readonly stored: number
  /** Why not the others. */
  readonly errorCode: number
}

const u32Max = 0xffff_ffff
const u64Max = 0xffff_ffff_ffff_ffffn
const requestName = 'Produce request'
const responseName = 'Produce response'

function checkProducer({ producerId, sequence }: ProducerSequence): void {
  checkField(requestName, 'sequence', sequence, u32Max)
  if (producerId >= 0n && producerId <= u64Max) return
  throw new StarfishError('BAD_FRAME', `${requestName}: producerId must be an integer from 0 to ${u64Max}`, {
    details: { message: requestName, field: 'producerId', value: String(producerId) },
  })
}

export const produceV1: LogOperation<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  type: logType.produce,
  version: LOG_VERSION,
  flags: logFlag.acknowledgement | logFlag.producer,
  isPartial: true,

  flagsOf({ acknowledgement, producer }) {
    return acknowledgements.indexOf(acknowledgement) | (producer === undefined ? 0 : logFlag.producer)
  },
  requestBytes({ partitionId, acknowledgement, producer, batch }) {
    checkField(requestName, 'partitionId', partitionId, u32Max)
    checkField(requestName, 'acknowledgement', acknowledgements.indexOf(acknowledgement), acknowledgements.length - 1)
    checkField(requestName, 'count', batch.count, u32Max, 1)
    if (producer !== undefined) checkProducer(producer)
    return (producer === undefined ? 4 : 16) + batch.end - batch.start
  },
  writeRequest(target, from, { partitionId, producer, batch }) {
    let at = from
    if (producer !== undefined) {
      target.writeBigUInt64BE(producer.producerId, at)
      writeU32(target, at + 8, producer.sequence)
      at += 12
    }
    writeU32(target, at, partitionId)
    copyBytes(batch.bytes, batch.start, batch.end, target, at + 4)
  },
  readRequest(reader, flags) {
    const level = flags & logFlag.acknowledgement
    if (level >= acknowledgements.length) reader.refuse('flags', reader.at, `acknowledgement ${level}`)
    const producer =
      (flags & logFlag.producer) === 0
        ? undefined
        : { producerId: reader.bigU64('producerId'), sequence: reader.u32('sequence') }
    const partitionId = reader.u32('partitionId')
    return { partitionId, acknowledgement: acknowledgements[level]!, producer, batch: takeLogBatch(reader) }
  },

  outcomeOf({ partial }) {
    return partial === undefined ? logOk : { status: logStatus.partial, errorCode: partial.errorCode }
  },
  answerBytes({ partitionId, baseOffset, partial }) {
    checkField(responseName, 'partitionId', partitionId, u32Max)
    checkField(responseName, 'baseOffset', baseOffset, Number.MAX_SAFE_INTEGER)
    if (partial === undefined) return 12
    checkField(responseName, 'errorCode', partial.errorCode, 0xffff, 1)
    checkField(responseName, 'stored', partial.stored, u32Max, 1)
    return 16
  },
  writeAnswer(target, at, { partitionId, baseOffset, partial }) {
    writeU32(target, at, partitionId)
    writeU64(target, at + 4, baseOffset)
    if (partial !== undefined) writeU32(target, at + 12, partial.stored)
  },
  readResponse(reader, { status, errorCode }) {
    const partitionId = reader.u32('partitionId')
    const baseOffset = reader.safeU64('baseOffset')
    if (status === logStatus.ok) return { partitionId, baseOffset }
    const stored = reader.u32('stored')
    if (stored === 0) reader.refuse('stored', reader.at - 4, 'stored 0')
    return { partitionId, baseOffset, partial: { stored, errorCode } }
  },
}
