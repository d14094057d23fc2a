/** The oldest offset that a partition keeps. */
import { isStarfishError } from '../../../../messages/errors.ts'
import { logCall } from '../log-calls.ts'
import type { LogRequests } from '../log-requests.ts'

/**
 * Found by halving, as no request tells it: whether an offset is in range a fetch says, and the high-water mark always is.
 * Some 20 round trips for a million messages; one message comes with each.
 */
export async function oldestOffset(requests: LogRequests, partitionId: number, signal: AbortSignal): Promise<number> {
  const options = { signal }
  async function isInRange(offset: number): Promise<boolean> {
    try {
      await requests.ask(logCall.fetch, { partitionId, offset, maxBytes: 0 }, true, options)
      return true
    } catch (error) {
      if (isStarfishError(error, 'OFFSET_OUT_OF_RANGE')) return false
      throw error
    }
  }

  let least = 0
  let most = await requests.ask(logCall.getOffset, { partitionId }, true, options)
  while (least < most) {
    const middle = Math.floor((least + most) / 2)
    if (await isInRange(middle)) most = middle
    else least = middle + 1
  }
  return most
}
