/** A stopwatch for things that take nanoseconds. */

/** What something costs. */
export interface Measured {
  readonly name: string
  /** Nanoseconds each. */
  readonly ns: number
}

/** Runs `work(count)` a few times and keeps the median. */
export function measure(name: string, count: number, work: (count: number) => void): Measured {
  work(count / 10)
  const runs = Array.from({ length: 5 }, () => {
    const from = process.hrtime.bigint()
    work(count / 5)
    return Number(process.hrtime.bigint() - from) / (count / 5)
  })
  return { name, ns: runs.sort((a, b) => a - b)[2]! }
}

/** Prints results as text, or as JSON for a parent that asked for it. */
export function report(results: readonly Measured[]): void {
  if (process.argv.includes('--json')) console.log(JSON.stringify(results))
  else for (const { name, ns } of results) console.log(`${ns.toFixed(1).padStart(8)} ns  ${name}`)
}
