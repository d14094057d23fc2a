/** Options of a producer, checked and filled once. */
import { type Acknowledgement, acknowledgements } from '../../../../messages/log/codes.ts'
import { createFaults } from '../../../../messages/option-faults.ts'
import { keptAnswersMax } from '../../../../protocols/message-log/engine/contract.ts'
import { checkNumber, countRange, timerMsMax, waitRange } from '../../client-options.ts'

/** Options of `LogClient.producer`. */
export interface ProducerOptions {
  /** When a send is answered: `committed`, `received` or `flushed`. Default `committed`. */
  readonly acknowledgement?: Acknowledgement
  /** How long a batch waits for more messages, ms. 0: to the end of the tick, or less if it is large and few are in flight, and while as many are in flight as may be. Default 0. */
  readonly lingerMs?: number
  /** Messages are gathered up to that many bytes; a larger one goes alone. Default 128 KiB, or what a request of the client may have. */
  readonly batchBytesMax?: number
  /** Bytes of messages that are neither answered nor given up; sends beyond wait in line. Default 32 MiB. */
  readonly bufferBytesMax?: number
  /** Sends that may wait in line; one more is rejected with OVERLOADED. Default 100,000. */
  readonly sendsWaitingMax?: number
  /** Batches of one partition in flight, up to 64. 1 keeps the order even if the store fails one of them. Default 8. */
  readonly inFlightMax?: number
  /** Deadline of a send, over all attempts, ms. Default 30,000. */
  readonly timeoutMs?: number
}

/** {@link ProducerOptions}, filled in. */
export type ProducerConfig = Required<ProducerOptions>

/** The options of a producer that was told nothing else. */
export const producerDefaults: ProducerConfig = {
  acknowledgement: 'committed',
  lingerMs: 0,
  batchBytesMax: 131_072,
  bufferBytesMax: 33_554_432,
  sendsWaitingMax: 100_000,
  inFlightMax: 8,
  timeoutMs: 30_000,
}

/** What the length of a Produce counts beside its batch: header, checksum, producer and partition. */
const besideBatchBytes = 32

/** The same beside the only message of a batch, which has a count. */
export const besideMessageBytes = besideBatchBytes + 4

/** Checks and fills options. `BAD_CONFIG` names all that cannot be used. */
export function resolveProducer(options: ProducerOptions, frameBytesMax: number): ProducerConfig {
  const faults = createFaults()
  const subject = 'the producer cannot be created'
  if (!faults.options('', options, Object.keys(producerDefaults))) faults.throwIfAny('BAD_CONFIG', subject)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const batchBytesMax = Math.min(producerDefaults.batchBytesMax, frameBytesMax)
  const config: ProducerConfig = { ...producerDefaults, batchBytesMax, ...given }
  faults.oneOf('acknowledgement', config.acknowledgement, acknowledgements)
  checkNumber('lingerMs', config.lingerMs, { least: 0, most: timerMsMax }, faults)
  checkNumber('batchBytesMax', config.batchBytesMax, { least: 1, most: frameBytesMax }, faults)
  checkNumber('bufferBytesMax', config.bufferBytesMax, countRange, faults)
  checkNumber('sendsWaitingMax', config.sendsWaitingMax, { least: 0, most: Number.MAX_SAFE_INTEGER }, faults)
  checkNumber('inFlightMax', config.inFlightMax, { least: 1, most: keptAnswersMax }, faults)
  checkNumber('timeoutMs', config.timeoutMs, waitRange, faults)
  faults.throwIfAny('BAD_CONFIG', subject)
  return { ...config, batchBytesMax: Math.min(config.batchBytesMax, frameBytesMax - besideBatchBytes) }
}
