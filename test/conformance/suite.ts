/**
 * What a conformance case is, and how groups of them are run over a world.
 */
import t, { type Test } from 'tap'
import type { ConformanceWorld, WorldEvent, WorldMaker, WorldSupervisor } from './world.ts'

/**
 * `time`: it lets a time pass, and mostly looks at both sides of a deadline. `together`: several children end at once, in a
 * known order. `shard`: children end with their shard.
 */
export type Need = 'time' | 'together' | 'shard'

/** One case of OTP's supervisor_SUITE, or one of ours where OTP has none. */
export interface ConformanceCase {
  /** OTP's name of it. */
  readonly name: string
  /** What is done. */
  readonly stimulus: string
  /** What is observed. */
  readonly observed: string
  /** What not every world has, if it takes that. */
  readonly needs?: readonly Need[]
  run(t: Test, world: ConformanceWorld): Promise<void>
}

/** A change of the sources that a group has to notice. */
export interface Mutation {
  /** What it breaks. */
  readonly breaks: string
  /** File under src/. */
  readonly file: string
  /** Text that occurs in the file exactly once. */
  readonly search: string
  readonly replacement: string
}

/** Cases about one thing. */
export interface ConformanceGroup {
  readonly name: string
  readonly cases: readonly ConformanceCase[]
  /** Each of them makes at least one case fail. */
  readonly mutations: readonly Mutation[]
}

/** A case that takes longer hangs. */
const caseLimitMs = 60_000

/** Runs the groups over one world; only those named, if any are. Cases that need what it lacks are skipped, and said to be. */
export function runGroups(
  groups: readonly ConformanceGroup[],
  newWorld: WorldMaker,
  only: readonly string[] = [],
  lacks: readonly Need[] = [],
  within: Test = t,
): void {
  for (const group of groups) {
    if (only.length > 0 && !only.includes(group.name)) continue
    within.test(group.name, async t => {
      for (const each of group.cases) {
        const lacking = each.needs?.filter(need => lacks.includes(need)) ?? []
        const skip = lacking.length > 0 && `this world lacks ${lacking.join(' and ')}`
        await t.test(`${each.name}: ${each.stimulus} -> ${each.observed}`, { timeout: caseLimitMs, skip }, async t => {
          // In virtual time a promise that nobody settles would end the process, not the case.
          const alive = setInterval(() => {}, caseLimitMs)
          try {
            const world = await newWorld()
            try {
              await each.run(t, world)
            } finally {
              await world.close()
            }
          } finally {
            clearInterval(alive)
          }
        })
      }
    })
  }
}

/** Rejects unless the promise rejects with that code. */
export async function refuses(t: Test, promise: Promise<unknown>, code: string): Promise<void> {
  await t.rejects(promise, { name: 'StarfishError', code })
}

/** The log as short text: `up a#1`, `exit a#1 killed`; from `from` on. */
export function story(world: ConformanceWorld, from = 0): string[] {
  return world.log.slice(from).map(tell)
}

function tell(event: WorldEvent): string {
  const who = `${event.id}#${event.incarnation}`
  return event.type === 'up' ? `up ${who}` : `exit ${who} ${event.reason.type}`
}

/** The children of a supervisor as short text: `a running`, `b restarting`, `c undefined`. */
export async function children(supervisor: WorldSupervisor): Promise<string[]> {
  return (await supervisor.whichChildren()).map(({ id, state }) => `${id} ${state}`)
}

/** The counts of a supervisor as OTP's tests write them: specs, active, supervisors, workers. */
export async function counts(supervisor: WorldSupervisor): Promise<number[]> {
  const { specs, active, supervisors, workers } = await supervisor.countChildren()
  return [specs, active, supervisors, workers]
}

/** The numbers from 1 to `n`. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index + 1)
}
