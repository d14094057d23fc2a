/** Reads the values of options. */
import { UsageError } from './usage-error.ts'

/** What a whole number may be. */
export interface WholeRange {
  readonly min: number
  readonly max: number
}

/** A range in words. */
export function textOf({ min, max }: WholeRange): string {
  return `a whole number from ${min} to ${max}`
}

/** The value of an option that takes a whole number; throws {@link UsageError}. */
export function wholeNumber(command: string, name: string, value: string, range: WholeRange): number {
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= range.min && number <= range.max) return number
  throw wrongValue(command, name, textOf(range), value)
}

/** The error of a value that an option does not take. */
export function wrongValue(command: string, name: string, wanted: string, value: string): UsageError {
  return new UsageError(command, `--${name} takes ${wanted}, not ${JSON.stringify(value)}`)
}
