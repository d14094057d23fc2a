/** Has the appends of a shard's tick done by an engine, and gathers what became of each. */
import { encodeError } from '../../../messages/error-codec.ts'
import type { AppendRequest, AppendSink, LogEngine } from '../engine/contract.ts'
import { readAppendBatch } from './append-batch.ts'

/** What became of the appends of a batch, in their order; it crosses by structured clone. */
export interface AppendOutcomes {
  /** The base offset of each, then the number of its messages stored: two numbers an append; zero for what was refused. */
  readonly results: Float64Array
  /** Why those were refused that were, by their place in the batch; as `encodeError` writes it. */
  readonly refusals: readonly AppendRefusal[]
}

/** One append that was refused. */
export interface AppendRefusal {
  readonly index: number
  readonly error: ReturnType<typeof encodeError>
}

/** Who counts appends. */
export interface AppendCounts {
  /** So many are in hand. */
  taken(appends: number): void
  /** One of them is stored. */
  stored(messages: number, bytes: number): void
  /** One of them was refused. */
  failed(): void
}

/**
 * Appends all of a batch in order, and resolves when each is settled. One that is refused costs no other.
 * Rejects with `BAD_FRAME` for bytes that are no batch: nothing was stored then.
 */
export async function appendAll(
  engine: Pick<LogEngine, 'append' | 'appendTo'>,
  bytes: Uint8Array,
  counts: AppendCounts,
): Promise<AppendOutcomes> {
  const requests = readAppendBatch(bytes)
  const results = new Float64Array(2 * requests.length)
  const refusals: AppendRefusal[] = []
  const settled = Promise.withResolvers<void>()
  let left = requests.length
  counts.taken(left)

  function settle(): void {
    if (--left === 0) settled.resolve()
  }

  const sink: AppendSink = {
    stored(index, { baseOffset, stored }) {
      results[2 * index] = baseOffset
      results[2 * index + 1] = stored
      counts.stored(stored, requests[index]!.messages.length)
      settle()
    },
    refused(index, error) {
      refusals.push({ index, error: encodeError(error) })
      counts.failed()
      settle()
    },
  }

  for (let index = 0; index < requests.length; index++) {
    if (engine.appendTo === undefined) appendTo(engine, requests[index]!, index, sink)
    else engine.appendTo(requests[index]!, index, sink)
  }
  if (left > 0) await settled.promise
  return { results, refusals: refusals.sort((one, other) => one.index - other.index) }
}

/** For engines that answer by a promise, or at once. */
function appendTo(engine: Pick<LogEngine, 'append'>, request: AppendRequest, index: number, sink: AppendSink): void {
  try {
    const result = engine.append(request)
    if (!(result instanceof Promise)) sink.stored(index, result)
    else
      result.then(
        value => sink.stored(index, value),
        error => sink.refused(index, error),
      )
  } catch (error) {
    sink.refused(index, error)
  }
}
