/** The few statistics that the suites need. */

/** The value below which the fraction `q` of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
  if (found === undefined) throw new RangeError('there is no quantile of nothing')
  return found
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Median, least and greatest. */
export function spread(values: readonly number[]): {
  readonly value: number
  readonly min: number
  readonly max: number
} {
  return { value: median(values), min: Math.min(...values), max: Math.max(...values) }
}
