/** One Produce, and what comes of it. */
import { type Acknowledgement, acknowledgements } from '../../../messages/log/codes.ts'
import type { LogMessage } from '../../../messages/log/message-v1.ts'
import type { ProduceMessagesRequest, ProduceResponse, ProducerSequence } from '../../../messages/log/produce-v1.ts'
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

/** By a constructor, as what lives until an answer is: V8 may make what literals make as old. */
class ProduceContent implements ProduceMessagesRequest {
  readonly partitionId: number
  readonly acknowledgement: Acknowledgement
  readonly producer: ProducerSequence | undefined
  readonly messages: readonly LogMessage[]

  constructor(
    partitionId: number,
    acknowledgement: Acknowledgement,
    producer: ProducerSequence | undefined,
    messages: readonly LogMessage[],
  ) {
    this.partitionId = partitionId
    this.acknowledgement = acknowledgement
    this.producer = producer
    this.messages = messages
  }
}

/** Sends messages as one batch. Not async: the promise of the request is the only one that it costs. */
export function produceMessages(
  requests: LogRequests,
  partition: number,
  messages: readonly ProducerMessage[],
  given: ProduceOptions = none,
): Promise<ProduceResponse> {
  try {
    if (given !== none) checkFaults(requestFault(given, produceOptions))
    const { acknowledgement = 'committed', producer } = given
    const badPartition = wholeFault('partition', partition)
    const badMessages = messagesFault(messages)
    const badTerms = given === none ? undefined : termsFaults(acknowledgement, producer)
    if (badPartition !== undefined || badMessages !== undefined || badTerms !== undefined) {
      checkFaults(badPartition, badMessages, ...(badTerms ?? []))
    }
    const nowMs = requests.config.clock.now()
    const atMs = Math.floor(nowMs)
    const written = messages.map(message => toLogMessage(message, atMs))
    const content = new ProduceContent(partition, acknowledgement, producer, written)
    const waits = given === none ? undefined : waitsOf(given)
    return requests.ask(logCall.produceMessages, content, producer !== undefined, waits, nowMs)
  } catch (error) {
    return Promise.reject(error)
  }
}

function waitsOf({ acknowledgement: _, producer: __, ...waits }: ProduceOptions): LogRequestOptions {
  return waits
}

function termsFaults(
  acknowledgement: Acknowledgement,
  producer: ProducerSequence | undefined,
): readonly (OptionFault | undefined)[] {
  return [
    acknowledgements.includes(acknowledgement) ? undefined : badAcknowledgement(acknowledgement),
    producer === undefined ? undefined : producerFault(producer),
  ]
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
