/** One Fetch, and what comes of it. */
import type { LongPoll } from '../../../messages/log/fetch-v1.ts'
import { fetchBytesMax as entriesBytesMax } from '../../../messages/log/response.ts'
import type { OptionFault } from '../../../messages/option-faults.ts'
import { timerMsMax } from '../client-options.ts'
import { checkFaults, optionsFault, requestFault, requestOptions, wholeFault } from './check-arguments.ts'
import { logCall } from './log-calls.ts'
import type { LogRequestOptions, LogRequests } from './log-requests.ts'
import { type ConsumedMessage, readConsumed } from './message.ts'

/** How long a fetch may wait at the server, and for what. */
export interface LongPollOptions {
  /** It is answered without, or with fewer, after so long, ms. */
  readonly maxWaitMs: number
  /** It is answered at once when there are so many bytes of messages. Default 1. */
  readonly minBytes?: number
}

/** Options of `LogClient.fetch`. */
export interface FetchOptions extends LogRequestOptions {
  /**
   * Wait for messages rather than answer without. With a deadline of its own (`timeoutMs`) the server is asked to wait no longer than
   * leaves the answer its time to come: a second, or half of a deadline that is shorter than two. Without one `maxWaitMs` counts beside
   * the client's.
   */
  readonly longPoll?: LongPollOptions
}

/** What `LogClient.fetch` tells. */
export interface FetchResult {
  /** In order and without gaps, from the offset asked for; none at its end. */
  readonly messages: readonly ConsumedMessage[]
  /** The offset that the next message of the partition gets. */
  readonly highWaterMark: number
}

/** What an answer may take to come, ms: a server does not wait into it. */
const answerMs = 1_000

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
  const { signal } = given
  const longPoll = longPollOf(given)
  const timeoutMs = given.timeoutMs ?? Math.min(timerMsMax, requests.config.timeoutMs + (longPoll?.maxWaitMs ?? 0))
  const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) }
  const content = {
    partitionId: partition,
    offset,
    maxBytes: Math.min(bytesMax, entriesBytesMax(requests.config.frameBytesMax)),
    longPoll,
  }
  const { highWaterMark, entries } = await requests.ask(logCall.fetch, content, true, options)
  return { highWaterMark, messages: readConsumed(partition, entries) }
}

/** What a server is asked that must have answered by the deadline. */
function longPollOf({ longPoll, timeoutMs = Number.POSITIVE_INFINITY }: FetchOptions): LongPoll | undefined {
  if (longPoll === undefined) return undefined
  const { maxWaitMs, minBytes = 1 } = longPoll
  const leftMs = Math.floor(timeoutMs - Math.min(answerMs, timeoutMs / 2))
  return { maxWaitMs: Math.min(maxWaitMs, leftMs), minBytes }
}

function longPollFault(longPoll: LongPollOptions | undefined): OptionFault | undefined {
  if (longPoll === undefined) return undefined
  return (
    optionsFault(longPoll, ['maxWaitMs', 'minBytes'], 'longPoll') ??
    wholeFault('longPoll.maxWaitMs', longPoll.maxWaitMs) ??
    wholeFault('longPoll.minBytes', longPoll.minBytes ?? 1)
  )
}
