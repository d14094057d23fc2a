/**
 * Kills an actor and a worker of an event server every two seconds while clients of the library keep commands in flight,
 * each of which may be handled once only, so none is tried again: `node test/acceptance/client-under-kills.ts [seconds]
 * [seed]`. Every request must be answered with what was asked or fail with a typed error by its deadline, and only those
 * fail whose connection was served by what was killed.
 */
import type { Kill, Mode } from './kills/account.ts'
import { boundedRun, runUnderKills } from './kills/run.ts'
import type { Failure, SdkReport } from './kills/sdk-client.ts'

const length = boundedRun(process.argv)
/** What a failure may be. */
const codes = new Set(['CONNECTION_LOST', 'CONNECT_FAILED', 'SERVER_OVERLOADED', 'REQUEST_TIMEOUT'])

function judge(mode: Mode, kills: readonly Kill[], { answered, failures, wrong }: SdkReport): void {
  const killed = new Set(kills.flatMap(({ incarnations }) => incarnations))
  const strays = failures.filter(({ servedBy }) => servedBy !== 0 && !killed.has(servedBy))
  const untyped = failures.filter(({ code }) => !codes.has(code))
  const { seconds, seed } = length
  const violations = [
    ...wrong,
    ...strays.map(failure => `failed though what served it lives on: ${JSON.stringify(failure)}`),
    ...untyped.map(failure => `failed with something else: ${JSON.stringify(failure)}`),
    ...(answered < 1_000 * seconds ? [`only ${answered} answers`] : []),
  ]
  const figures = {
    mode,
    seed,
    seconds,
    kills: kills.length,
    answered,
    failed: countBy(failures, ({ code, handled }) => `${code}, handled: ${handled}`),
    violations: violations.length,
  }
  console.log(JSON.stringify(figures, null, 2))
  for (const violation of violations.slice(0, 20)) console.error(`${mode}: ${violation}`)
  if (violations.length > 0) process.exitCode = 1
}

function countBy(failures: readonly Failure[], keyOf: (failure: Failure) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const failure of failures) counts[keyOf(failure)] = (counts[keyOf(failure)] ?? 0) + 1
  return counts
}

for (const mode of ['reusePort', 'handoff'] as const) {
  const { kills, report } = await runUnderKills<SdkReport>(mode, length, { script: 'sdk-client.ts', args: [] })
  judge(mode, kills, report)
}
