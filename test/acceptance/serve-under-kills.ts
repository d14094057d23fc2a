/**
 * Kills an actor and a worker of an event server every two seconds while clients in a process of their own keep it busy,
 * and holds every answer, every lost request, every reset and every gap against what was killed:
 * `node test/acceptance/serve-under-kills.ts [seconds] [seed]`. Both ways of accepting run one after the other.
 */
import { type ClientReport, judge } from './kills/account.ts'
import { boundedRun, runUnderKills } from './kills/run.ts'

const length = boundedRun(process.argv)

for (const mode of ['reusePort', 'handoff'] as const) {
  const client = { script: 'client.ts', args: [length.seed] }
  const { kills, report } = await runUnderKills<ClientReport>(mode, length, client)
  const { violations, figures } = judge(kills, report)
  console.log(JSON.stringify({ mode, ...length, ...figures, violations: violations.length }, null, 2))
  for (const violation of violations.slice(0, 20)) console.error(`${mode}: ${violation}`)
  if (violations.length > 0) process.exitCode = 1
}
