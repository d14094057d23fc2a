/** Has the appends of a shard's tick done by an engine, and gathers what became of each. */
import { encodeError } from '../../../messages/error-codec.ts'
import type { AppendResult, LogEngine } from '../engine/contract.ts'
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

/**
 * Appends all of a batch in order, and resolves when each is settled. One that is refused costs no other.
 * Rejects with `BAD_FRAME` for bytes that are no batch: what stood before the fault may have been stored.
 */
export async function appendAll(engine: Pick<LogEngine, 'append'>, bytes: Uint8Array): Promise<AppendOutcomes> {
  const pending: Promise<AppendResult>[] = []
  for (const request of readAppendBatch(bytes)) pending.push(appendOne(engine, request))
  const settled = await Promise.allSettled(pending)
  const results = new Float64Array(2 * settled.length)
  const refusals: AppendRefusal[] = []
  for (const [index, outcome] of settled.entries()) {
    if (outcome.status === 'rejected') {
      refusals.push({ index, error: encodeError(outcome.reason) })
    } else {
      results[2 * index] = outcome.value.baseOffset
      results[2 * index + 1] = outcome.value.stored
    }
  }
  return { results, refusals }
}

/** Calls at once, so that the order of calls is that of the batch; a throw is a rejection. */
async function appendOne(
  engine: Pick<LogEngine, 'append'>,
  request: Parameters<LogEngine['append']>[0],
): Promise<AppendResult> {
  return engine.append(request)
}
