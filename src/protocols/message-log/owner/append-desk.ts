/** Has the appends of a shard's tick done by an engine, and gathers what became of each. */
import { encodeError } from '../../../messages/error-codec.ts'
import type { AppendRequest, AppendSink, LogEngine } from '../engine/contract.ts'
import { readAppendBatch, splitAppend } from './append-batch.ts'

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
  /** So many of them are stored. */
  stored(appends: number, messages: number, bytes: number): void
  /** So many of them were refused. */
  failed(appends: number): void
}

type Appends = Pick<LogEngine, 'append' | 'appendTo' | 'takesJoined'>

/**
 * Appends all of a batch in order, and resolves when each is settled. One that is refused costs no other, but for those that an
 * engine takes joined. Rejects with `BAD_FRAME` for bytes that are no batch: nothing was stored then.
 */
export async function appendAll(engine: Appends, bytes: Uint8Array, counts: AppendCounts): Promise<AppendOutcomes> {
  const read = readAppendBatch(bytes)
  const crossing = engine.takesJoined === true ? read : read.flatMap(splitAppend)
  const last = read.at(-1)
  let left = last === undefined ? 0 : last.index + last.appends
  const results = new Float64Array(2 * left)
  const refusals: AppendRefusal[] = []
  const settled = Promise.withResolvers<void>()
  counts.taken(left)

  function settle(appends: number): void {
    left -= appends
    if (left === 0) settled.resolve()
  }

  const sink: AppendSink = {
    stored(nth, { baseOffset, stored }) {
      const { index, appends, messages } = crossing[nth]!
      const each = appends === 1 ? stored : 1
      for (let joined = 0; joined < appends; joined++) {
        results[2 * (index + joined)] = baseOffset + joined
        results[2 * (index + joined) + 1] = each
      }
      counts.stored(appends, stored, messages.length)
      settle(appends)
    },
    refused(nth, cause) {
      const { index, appends } = crossing[nth]!
      const error = encodeError(cause)
      for (let joined = 0; joined < appends; joined++) refusals.push({ index: index + joined, error })
      counts.failed(appends)
      settle(appends)
    },
  }

  for (let nth = 0; nth < crossing.length; nth++) {
    if (engine.appendTo === undefined) appendTo(engine, crossing[nth]!, nth, sink)
    else engine.appendTo(crossing[nth]!, nth, sink)
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
