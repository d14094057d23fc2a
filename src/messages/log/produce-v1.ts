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
import { copyBytes, writeBigU64, writeU32, writeU64 } from '../wire/in-place.ts'
import { type LogBatch, takeLogBatch } from './batch-v1.ts'
import { type Acknowledgement, acknowledgements, LOG_VERSION, logFlag, logStatus, logType } from './codes.ts'
import { type LogMessage, logMessageBytes, writeLogMessage } from './message-v1.ts'
import { type LogOperation, type LogQuestion, logOk } from './operation.ts'

/** Who produces, so that a request that is sent again is stored once. */
export interface ProducerSequence {
  /** u64: chosen at random, so every bit of it counts. */
  readonly producerId: bigint
  /** Counts the Produce requests of the producer to the partition, from 0. */
  readonly sequence: number
}

/** What a Produce says beside its messages. */
export interface ProduceTerms {
  readonly partitionId: number
  readonly acknowledgement: Acknowledgement
  readonly producer?: ProducerSequence | undefined
}

/** A Produce as its sender means it. */
export interface ProduceRequest extends ProduceTerms {
  readonly batch: LogBatch
}

/** The same with messages that are written straight into the request, at least one. */
export interface ProduceMessagesRequest extends ProduceTerms {
  readonly messages: readonly LogMessage[]
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

/** Checks the terms and the number of messages; answers the bytes before that number. */
function termsBytes({ partitionId, acknowledgement, producer }: ProduceTerms, count: number): number {
  checkField(requestName, 'partitionId', partitionId, u32Max)
  checkField(requestName, 'acknowledgement', levelOf(acknowledgement), acknowledgements.length - 1)
  checkField(requestName, 'count', count, u32Max, 1)
  if (producer === undefined) return 4
  checkProducer(producer)
  return 16
}

/** As it travels; -1 for what is none. */
function levelOf(acknowledgement: Acknowledgement): number {
  return acknowledgement === acknowledgements[0] ? 0 : acknowledgements.indexOf(acknowledgement)
}

function flagsOfTerms({ acknowledgement, producer }: ProduceTerms): number {
  return levelOf(acknowledgement) | (producer === undefined ? 0 : logFlag.producer)
}

/** Writes the terms; returns where they end. */
function writeTerms(target: Buffer, from: number, { partitionId, producer }: ProduceTerms): number {
  let at = from
  if (producer !== undefined) {
    writeBigU64(target, at, producer.producerId)
    writeU32(target, at + 8, producer.sequence)
    at += 12
  }
  writeU32(target, at, partitionId)
  return at + 4
}

export const produceV1: LogOperation<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  type: logType.produce,
  version: LOG_VERSION,
  flags: logFlag.acknowledgement | logFlag.producer,
  isPartial: true,

  flagsOf: flagsOfTerms,
  requestBytes(request) {
    const { count, start, end } = request.batch
    return termsBytes(request, count) + end - start
  },
  writeRequest(target, from, request) {
    const { bytes, start, end } = request.batch
    copyBytes(bytes, start, end, target, writeTerms(target, from, request))
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

/** Produce as a client asks it that has messages and no batch: the frames are the same. */
export const produceMessagesV1: LogQuestion<ProduceMessagesRequest, ProduceResponse> = {
  name: produceV1.name,
  type: produceV1.type,
  version: produceV1.version,
  isPartial: produceV1.isPartial,

  flagsOf: flagsOfTerms,
  requestBytes(request) {
    const { messages } = request
    let bytes = termsBytes(request, messages.length) + 4
    for (let at = 0; at < messages.length; at++) bytes += logMessageBytes(messages[at]!)
    return bytes
  },
  writeRequest(target, from, request) {
    const { messages } = request
    const countAt = writeTerms(target, from, request)
    writeU32(target, countAt, messages.length)
    let end = countAt + 4
    for (let at = 0; at < messages.length; at++) end = writeLogMessage(target, end, messages[at]!)
  },
  readResponse: produceV1.readResponse,
}
