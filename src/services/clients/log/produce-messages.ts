/** One Produce, and what comes of it. */
import { encodeLogBatch } from '../../../messages/log/batch-v1.ts'
import { type Acknowledgement, acknowledgements } from '../../../messages/log/codes.ts'
import type { ProduceResponse, ProducerSequence } from '../../../messages/log/produce-v1.ts'
import { type OptionFault, show } from '../../../messages/option-faults.ts'
import { checkFaults, optionsFault, requestFault, requestOptions, wholeFault } from './check-arguments.ts'
import { logCall } from './log-calls.ts'
import type { LogRequestOptions, LogRequests } from './log-requests.ts'
import { messagesFault, type ProducerMessage, toLogMessage } from './message.ts'

/** Options of `LogClient.produce`. */
export interface ProduceOptions extends LogRequestOptions {
  /** When it is answered. Default `committed`. */
  readonly acknowledgement?: Acknowledgement
  /** Who produces: a request that is sent again is stored once. It is tried again only with it, or if it was certainly not handled. */
  readonly producer?: ProducerSequence
}

const produceOptions = [...requestOptions, 'acknowledgement', 'producer']
const none: ProduceOptions = {}

/** Sends messages as one batch. Not async: the promise of the request is the only one that it costs. */
export function produceMessages(
  requests: LogRequests,
  partition: number,
  messages: readonly ProducerMessage[],
  given: ProduceOptions = none,
): Promise<ProduceResponse> {
  try {
    if (given !== none) checkFaults(requestFault(given, produceOptions))
    const { acknowledgement = 'committed', producer, ...options } = given
    checkFaults(
      wholeFault('partition', partition),
      messagesFault(messages),
      acknowledgements.includes(acknowledgement) ? undefined : badAcknowledgement(acknowledgement),
      producer === undefined ? undefined : producerFault(producer),
    )
    const nowMs = Math.floor(requests.config.clock.now())
    const batch = encodeLogBatch(messages.map(message => toLogMessage(message, nowMs)))
    const content = { partitionId: partition, acknowledgement, producer, batch }
    return requests.ask(logCall.produce, content, producer !== undefined, options)
  } catch (error) {
    return Promise.reject(error)
  }
}

function badAcknowledgement(value: unknown): OptionFault {
  return { path: 'acknowledgement', reason: `is ${show(value)}, not one of ${acknowledgements.join(', ')}` }
}

const producerIdMax = 0xffff_ffff_ffff_ffffn

function producerFault(producer: ProducerSequence): OptionFault | undefined {
  const fault = optionsFault(producer, ['producerId', 'sequence'], 'producer')
  if (fault !== undefined) return fault
  const { producerId, sequence } = producer
  if (typeof producerId === 'bigint' && producerId >= 0n && producerId <= producerIdMax) {
    return wholeFault('producer.sequence', sequence)
  }
  return { path: 'producer.producerId', reason: `is ${show(producerId)}, not a bigint from 0 to ${producerIdMax}` }
}
