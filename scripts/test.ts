/**
 * Runs the test suite on the Node that runs this script: `node scripts/test.ts [files]`. Tells of each file that fails, of what
 * was skipped and why, and the totals; ends with code 1 when anything failed.
 *
 * Each file is a process, as `node file` is: without the hooks with which tap's own command watches what is loaded, since a
 * test of threads loads everything a dozen times. What is compiled is kept between runs, for the same reason.
 */
import { globSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { t } from 'tap'

const cwd = fileURLToPath(new URL('..', import.meta.url))
/** Longest that a file may take. */
const timeoutMs = 120_000
/** Files that are named for how long they took. */
const slowestMax = 5
const { execPath, stdout, version } = process

const given = process.argv.slice(2).map(file => resolve(file))
const all = globSync('test/**/*.test.ts', { cwd, exclude: ['test/acceptance/**'] }).map(file => join(cwd, file))
const files = given.length > 0 ? given : all.sort()
const env = {
  ...process.env,
  TAP_TIMEOUT: `${timeoutMs / 1_000}`,
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), `starfish-compiled-${version}`),
}

const beganAtMs = Date.now()
const totals = { total: 0, fail: 0, skip: 0 }
let done = 0
const skipped: string[] = []
const lasted: { name: string; ms: number }[] = []

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`
}

/** What a failed test said: each `not ok` that is none of its parts', with its diagnosis. */
function failuresIn(output: string): string {
  const found = output.match(/^ *not ok .*(?:\n +---\n[\s\S]*?\n +\.\.\.)?$/gm) ?? []
  return found.filter(block => block.includes('---')).join('\n')
}

interface Said {
  output: string
  errors: string
  startedAtMs: number
}

/** What each file has written so far. */
const said = new Map<string, Said>()

t.on('spawn', subtest => {
  const text: Said = { output: '', errors: '', startedAtMs: 0 }
  said.set(subtest.name, text)
  subtest.on('process', ({ stdout, stderr }) => {
    text.startedAtMs = performance.now()
    stdout?.on('data', chunk => {
      text.output += chunk
    })
    stderr?.on('data', chunk => {
      text.errors += chunk
    })
  })
})

/** Adds up what a file has asserted: a test with parts of its own is none. */
function count(output: string, ok: boolean): void {
  const number = (line: RegExp) => output.match(line)?.length ?? 0
  const failed = number(/^ *not ok \d+ /gm)
  totals.total += number(/^ *(not )?ok \d+ /gm) - number(/^ *# Subtest: /gm)
  totals.skip += number(/^ *ok \d+ .* # SKIP /gm)
  totals.fail += ok ? 0 : Math.max(1, failed)
}

async function run(file: string): Promise<void> {
  const name = relative(cwd, file)
  const options = { cwd, env, buffered: true, stdio: 'pipe', timeout: timeoutMs } as const
  const ok = (await t.spawn(execPath, [file], options, name))?.ok === true
  const { output, errors, startedAtMs } = said.get(name) ?? { output: '', errors: '', startedAtMs: performance.now() }
  lasted.push({ name, ms: performance.now() - startedAtMs })
  said.delete(name)
  done++
  count(output, ok)
  const reasons = [...output.matchAll(/^ *ok \d+ - .* # SKIP (.*)$/gm)].map(([, reason]) => reason!)
  if (reasons.length > 0) skipped.push(`${reasons.length} of ${name}: ${[...new Set(reasons)].join(', ')}`)
  if (stdout.isTTY) stdout.write(`\r\x1b[K${done} of ${files.length} files, ${totals.fail} failed`)
  if (!ok)
    console.log(`\nFAIL ${name}\n${failuresIn(output) || 'it ended early, or took too long'}\n${errors.slice(-4_000)}`)
}

t.jobs = Math.min(4, availableParallelism())
t.setTimeout(0)
t.register()
t.resume()
t.plan(files.length)
await Promise.all(files.map(run))
if (stdout.isTTY) stdout.write('\r\x1b[K')
for (const line of skipped) console.log(`SKIP ${line}`)
const { total, fail, skip } = totals
console.log(`# { total: ${total}, pass: ${total - fail - skip}, fail: ${fail}, skip: ${skip} }`)
console.log(`# ${files.length} files, ${inSeconds(Date.now() - beganAtMs)}`)
if (files.length > slowestMax) {
  lasted.sort((a, b) => b.ms - a.ms)
  console.log(
    `# slowest: ${lasted
      .slice(0, slowestMax)
      .map(({ name, ms }) => `${name} ${inSeconds(ms)}`)
      .join(', ')}`,
  )
}
if (fail > 0 || total === 0) process.exitCode = 1
