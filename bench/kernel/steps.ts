/** Steps of compiled charts against `actor.send`: each in a process of its own, taken in turn. */
import { figureOf, measuredBy, nanoseconds } from '../nanoseconds.ts'
import { median } from '../statistics.ts'
import { atLeast, atMost, type Figure, type Limit, type SuiteOptions } from '../suite.ts'

const inFlight = '1 instance'

async function measured(file: string): Promise<number[]> {
  return (await measuredBy(new URL(file, import.meta.url))).map(({ ns }) => ns)
}

/** Measures. */
export async function measureSteps({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 1 : 3
  const steps: number[][] = []
  const sends: number[][] = []
  const byHand: number[] = []
  for (let round = 0; round < rounds; round++) {
    steps.push(await measured('./compiled-step.ts'))
    sends.push(await measured('./baseline-actor-send.ts'))
    byHand.push((await measured('./baseline-hand-written-step.ts'))[0]!)
    say(
      `steps ${round + 1}/${rounds}: ${steps
        .at(-1)!
        .map(ns => `${ns.toFixed(1)} ns`)
        .join(', ')}`,
    )
  }
  const column = (index: number) => steps.map(row => row[index]!)
  const against = (step: number, send: number) => sends.map((row, round) => row[send]! / steps[round]![step]!)
  const hand = `written by hand: ${median(byHand).toFixed(1)} ns`
  const live = (index: number) => `actor.send: ${(median(sends.map(row => row[index]!)) / 1_000).toFixed(2)} us`
  return [
    figure('compiled step: guard and mutating action', column(0), atMost(60, 'ns'), hand),
    figure('compiled step: the same over 1,000 instances', column(1), atMost(60, 'ns'), hand),
    figure('compiled step: guard and `assign`', column(2), atMost(120, 'ns')),
    figure('compiled step: guard, action, timer set anew', column(3)),
    {
      ...figure('compiled step: times `actor.send`, mutating', against(0, 0), atLeast(50, 'x'), live(0)),
      figure: nanoseconds(column(0)),
    },
    {
      ...figure('compiled step: times `actor.send`, `assign`', against(2, 1), atLeast(50, 'x'), live(1)),
      figure: nanoseconds(column(2)),
    },
  ]
}

function figure(work: string, values: readonly number[], limit?: Limit, baseline?: string): Figure {
  return figureOf(work, inFlight, values, limit, baseline)
}
