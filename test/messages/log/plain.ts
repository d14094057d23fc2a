/** Requests and responses as plain values, their bodies as text, so that they can be compared whatever bytes they are views of. */
import { type LogMessageView, readLogBatch, readLogEntries } from '../../../src/messages/index.ts'

interface Range {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
}

/** A message with its bodies as text. */
export function plainMessage({ key, value, ...rest }: LogMessageView & { readonly offset?: number }): object {
  return { ...rest, key: key?.toString('latin1') ?? null, value: value?.toString('latin1') ?? null }
}

/** The value with the messages of its batch, or of its entries, in place of their bytes. What is undefined is left out. */
export function plain(value: unknown): unknown {
  const { batch, entries, ...rest } = value as { batch?: Range; entries?: Range }
  const fields = Object.fromEntries(Object.entries(rest).filter(([, field]) => field !== undefined))
  if (batch !== undefined) return { ...fields, batch: readLogBatch(batch).map(plainMessage) }
  if (entries !== undefined) return { ...fields, entries: readLogEntries(entries).map(plainMessage) }
  return fields
}
