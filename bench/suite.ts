/** What a suite of benchmarks is, and the shape of its results. */

import type { Distribution } from './histogram.ts'

/** How a suite is to run. */
export interface SuiteOptions {
  /** Fewer and shorter rounds: a look, not a measurement. */
  readonly quick: boolean
  /** The one part to run; all when undefined. */
  readonly only: string | undefined
  /** Prints a line of progress. */
  readonly say: (line: string) => void
}

/** One measured figure. */
export interface Figure {
  /** What was measured. */
  readonly work: string
  /** The budget in words, or undefined for a figure that is reported beside. */
  readonly budget?: string
  /** What was measured, with its unit, as text. */
  readonly figure: string
  /** What it is compared with, as text. */
  readonly baseline?: string
  /** The median of the rounds that the budget is about; of the unit that the budget has. */
  readonly value: number
  readonly min: number
  readonly max: number
  /** True when the budget is kept; undefined without one. */
  readonly pass?: boolean
  /** Requests in flight, or what else is needed to read the figure. */
  readonly inFlight: string
  /** How its samples are spread: drawn below the table. */
  readonly distribution?: Distribution
}

/** The result of a suite. */
export interface SuiteResult {
  readonly title: string
  /** What one has to know to read the table: one paragraph each. */
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
}

/** A suite. */
export interface Suite {
  readonly title: string
  run(options: SuiteOptions): Promise<SuiteResult>
}

/** A limit that a figure is held against. */
export interface Limit {
  readonly text: string
  readonly holds: (value: number) => boolean
}

/** `value <= limit`. */
export function atMost(limit: number, unit: string): Limit {
  return { text: `<= ${limit} ${unit}`.trim(), holds: value => value <= limit }
}

/** `value >= limit`. */
export function atLeast(limit: number, unit: string): Limit {
  return { text: `>= ${limit} ${unit}`.trim(), holds: value => value >= limit }
}
