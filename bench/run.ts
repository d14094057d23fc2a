/**
 * The benchmarks: `npm run bench` lists the suites, `npm run bench -- kernel [--quick]` runs one, writes its section of
 * docs/benchmarks.md and its figures to bench/results/. `--only=<part>` runs one part of it and writes nothing.
 */
import { keepCompiled } from '../src/cli/compile-cache.ts'
import { round, writeResults } from './page.ts'
import type { Suite } from './suite.ts'

const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  kernel: async () => (await import('./kernel/suite.ts')).kernelSuite,
  events: async () => (await import('./events/suite.ts')).eventsSuite,
  log: async () => (await import('./log/suite.ts')).logSuite,
}

const [name, ...flags] = process.argv.slice(2)
const load = name === undefined ? undefined : suites[name]
if (name === undefined || load === undefined) {
  console.log(`usage: npm run bench -- <suite> [--quick]\nsuites: ${Object.keys(suites).join(', ')}`)
  process.exitCode = name === undefined ? 0 : 1
} else {
  const quick = flags.includes('--quick')
  // As `starfish up` does.
  keepCompiled()
  const suite = await load()
  const startedAt = performance.now()
  const only = flags.find(flag => flag.startsWith('--only='))?.slice('--only='.length)
  const result = await suite.run({ quick, only, say: line => console.log(line) })
  if (only === undefined) await writeResults(name, result, quick)
  console.log()
  for (const { work, figure, budget, value, pass } of result.figures) {
    const verdict = pass === undefined ? '      ' : pass ? 'pass  ' : 'SHORT '
    console.log(`${verdict}${work}: ${figure}${budget === undefined ? '' : ` | ${round(value)}, budget ${budget}`}`)
  }
  console.log(
    `\n${((performance.now() - startedAt) / 1_000).toFixed(0)} s${only === undefined ? '; see docs/benchmarks.md' : ''}`,
  )
}
