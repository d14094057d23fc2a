/** One Fetch, and what comes of it. */
import { readLogEntries } from '../../../messages/log/batch-v1.ts'
import type { LongPoll } from '../../../messages/log/fetch-v1.ts'
import { checkArguments, requestOptions, wholeFault } from './check-arguments.ts'
import { logCall } from './log-calls.ts'
import type { LogRequestOptions, LogRequests } from './log-requests.ts'
import { type ConsumedMessage, toConsumedMessage } from './message.ts'

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

/** Fetches messages from `offset` on. */
export async function fetchMessages(
  requests: LogRequests,
  partition: number,
  offset: number,
  bytesMax: number,
  given: FetchOptions = {},
): Promise<FetchResult> {
  checkArguments(
    given,
    [...requestOptions, 'longPoll'],
    [
      wholeFault('partition', partition),
      wholeFault('offset', offset, 0, Number.MAX_SAFE_INTEGER),
      wholeFault('bytesMax', bytesMax),
    ],
  )
  const { longPoll, timeoutMs = requests.config.timeoutMs } = given
  const attempts = { ...given, timeoutMs: timeoutMs + (longPoll?.maxWaitMs ?? 0), isIdempotent: true }
  const content = { partitionId: partition, offset, maxBytes: bytesMax, longPoll }
  const { highWaterMark, entries } = await requests.ask(logCall.fetch, content, attempts)
  return { highWaterMark, messages: readLogEntries(entries).map(message => toConsumedMessage(partition, message)) }
}
