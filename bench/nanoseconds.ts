/** Figures of programs that measure nanoseconds, each in a process of its own: see kernel/measure.ts. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Measured } from './kernel/measure.ts'
import { median, spread } from './statistics.ts'
import type { Figure, Limit } from './suite.ts'

const run = promisify(execFile)

/** Runs a program that reports what it measured. */
export async function measuredBy(program: URL): Promise<Measured[]> {
  const { stdout } = await run(process.execPath, [fileURLToPath(program), '--json'])
  return JSON.parse(stdout) as Measured[]
}

/** The median of values in ns, as text. */
export function nanoseconds(values: readonly number[]): string {
  return `${median(values).toFixed(1)} ns`
}

/** A figure of values in ns, or of ratios. */
export function figureOf(
  work: string,
  inFlight: string,
  values: readonly number[],
  limit?: Limit,
  baseline?: string,
): Figure {
  const range = spread(values)
  return {
    work,
    inFlight,
    figure: nanoseconds(values),
    ...(baseline === undefined ? {} : { baseline }),
    ...(limit === undefined ? {} : { budget: limit.text, pass: limit.holds(range.value) }),
    ...range,
  }
}
