/** Asks and bare round trips between the same two threads, a few of each in turn. */
import type { BareAsks } from './baseline-ask.ts'

/** Milliseconds of each. */
export interface AskTimes {
  readonly asked: readonly number[]
  readonly bare: readonly number[]
}

/** How many of a kind follow each other. */
const inRow = 10

/** Runs so many rows of each, in turns that alternate which goes first. */
export async function interleaveAsks(
  ask: (number: number) => Promise<unknown>,
  bare: BareAsks,
  rows: number,
): Promise<AskTimes> {
  const times = { asked: [] as number[], bare: [] as number[] }
  for (let row = 0; row < rows; row++) {
    if (row % 2 === 0) times.bare.push(...(await bare.run(inRow)))
    for (let number = 0; number < inRow; number++) {
      const from = performance.now()
      await ask(number)
      times.asked.push(performance.now() - from)
    }
    if (row % 2 === 1) times.bare.push(...(await bare.run(inRow)))
  }
  return times
}
