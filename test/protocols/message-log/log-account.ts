/** What appenders were told, held against what is in the partition. */
import type { Test } from 'tap'
import { valuesIn } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { AppendResult, LogReader } from '../../../src/protocols/message-log/engine/contract.ts'

/** An append that was answered. */
export interface Acknowledged extends AppendResult {
  readonly values: readonly string[]
}

/** What the account is taken from. */
export type ReadableLog = Pick<LogReader, 'highWaterMark' | 'read'>

const readBytes = 262_144

/** All values of a partition, each behind its offset: `7:text`. */
export async function allValues(reader: ReadableLog, partitionId: number): Promise<string[]> {
  const found: string[] = []
  const end = await reader.highWaterMark(partitionId)
  while (found.length < end) found.push(...valuesIn(await reader.read(partitionId, found.length, readBytes)))
  return found
}

/**
 * Every append is where it was said to be, and nothing else is there: so all is in order, without gaps, and nothing twice. For
 * values of which no two are the same.
 */
export async function checkAccount(
  t: Test,
  reader: ReadableLog,
  partitionId: number,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  const found = await allValues(reader, partitionId)
  const told = acknowledged
    .toSorted((a, b) => a.baseOffset - b.baseOffset)
    .flatMap(({ baseOffset, stored, values }) =>
      values.slice(0, stored).map((value, index) => `${baseOffset + index}:${value}`),
    )
  t.equal(found.length, told.length)
  t.same(
    found.filter((value, at) => value !== told[at]),
    [],
  )
}
