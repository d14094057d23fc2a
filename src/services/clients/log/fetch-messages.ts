/** One Fetch, and what comes of it. */
import type { LongPoll } from '../../../messages/log/fetch-v1.ts'
import type { OptionFault } from '../../../messages/option-faults.ts'
import { checkFaults, optionsFault, requestFault, requestOptions, wholeFault } from './check-arguments.ts'
import { logCall } from './log-calls.ts'
import type { LogRequestOptions, LogRequests } from './log-requests.ts'
import { type ConsumedMessage, readConsumed } from './message.ts'

/** Options of `LogClient.fetch`. */
export interface FetchOptions extends LogRequestOptions {
  /** Wait for messages rather than answer without. `maxWaitMs` counts beside the deadline. */
  readonly longPoll?: LongPoll
}

/** What `LogClient.fetch` tells. */
export interface FetchResult {
  /** In order and without gaps, from the offset asked for; none at its end. */
  readonly messages: readonly ConsumedMessage[]
  /** The offset that the next message of the partition gets. */
  readonly highWaterMark: number
}

const fetchOptions = [...requestOptions, 'longPoll']

/** Fetches messages from `offset` on. */
export async function fetchMessages(
  requests: LogRequests,
  partition: number,
  offset: number,
  bytesMax: number,
  given: FetchOptions = {},
): Promise<FetchResult> {
  checkFaults(
    requestFault(given, fetchOptions) ?? longPollFault(given.longPoll),
    wholeFault('partition', partition),
    wholeFault('offset', offset, 0, Number.MAX_SAFE_INTEGER),
    wholeFault('bytesMax', bytesMax),
  )
  const { longPoll, timeoutMs = requests.config.timeoutMs, signal } = given
  const options = { timeoutMs: timeoutMs + (longPoll?.maxWaitMs ?? 0), ...(signal === undefined ? {} : { signal }) }
  const content = { partitionId: partition, offset, maxBytes: bytesMax, longPoll }
  const { highWaterMark, entries } = await requests.ask(logCall.fetch, content, true, options)
  return { highWaterMark, messages: readConsumed(partition, entries) }
}

function longPollFault(longPoll: LongPoll | undefined): OptionFault | undefined {
  if (longPoll === undefined) return undefined
  return (
    optionsFault(longPoll, ['maxWaitMs', 'minBytes'], 'longPoll') ??
    wholeFault('longPoll.maxWaitMs', longPoll.maxWaitMs) ??
    wholeFault('longPoll.minBytes', longPoll.minBytes)
  )
}
