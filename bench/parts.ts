/** The parts of a suite, run one after the other, or the one that was asked for. */
import type { Figure, SuiteOptions } from './suite.ts'

/** Runs them; throws for the name of a part that is not there. */
export async function runParts(
  options: SuiteOptions,
  parts: Readonly<Record<string, (options: SuiteOptions) => Promise<Figure[]>>>,
): Promise<Figure[]> {
  const { only, say } = options
  if (only !== undefined && !Object.hasOwn(parts, only)) {
    throw new RangeError(`there is no part ${only}; there are ${Object.keys(parts).join(', ')}`)
  }
  const figures: Figure[] = []
  for (const [name, measure] of Object.entries(parts)) {
    if (only !== undefined && only !== name) continue
    say(`-- ${name}`)
    figures.push(...(await measure(options)))
  }
  return figures
}
