/**
 * Runs the acceptance programs of test/acceptance/ one after the other: `node scripts/acceptance.ts [--list] [names]`.
 *
 * Plain programs say what they measured and end with code 0 or not; `.test.ts` are tests of tap, whose lines are shown
 * when one fails. Ends with totals in tap's form and with code 1 when anything failed or took too long.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Longest that one program may take; the slowest takes four minutes on a machine of two cores that does other things too. */
const programMaxMs = 480_000
/** Longest that all may take together. */
const allMaxMs = 1_500_000

const folder = new URL('../test/acceptance/', import.meta.url)
const files = new Map(
  readdirSync(folder)
    .filter(file => file.endsWith('.ts'))
    .sort()
    .map(file => [file.replace(/(\.test)?\.ts$/, ''), file]),
)

interface Outcome {
  readonly pass: number
  readonly fail: number
}

/** Ends a program with all that it started: it leads a group of its own. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended in this moment.
  }
}

function run(file: string, deadlineMs: number): Promise<Outcome> {
  const isTest = file.endsWith('.test.ts')
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, folder))], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TAP_TIMEOUT: String(Math.ceil(deadlineMs / 1_000)) },
  })
  const endWithThis = (): never => {
    killGroup(child)
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endWithThis)
  const overdue = setTimeout(() => {
    process.stdout.write(`# not over after ${seconds(deadlineMs)}: killed\n`)
    killGroup(child)
  }, deadlineMs)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output += part
    if (!isTest) process.stdout.write(part)
  })
  return new Promise(resolve => {
    child.on('close', code => {
      clearTimeout(overdue)
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, endWithThis)
      // Whatever it left behind would disturb those that follow.
      killGroup(child)
      const outcome = outcomeOf(isTest ? output : '', code === 0)
      if (isTest && outcome.fail > 0) process.stdout.write(output)
      resolve(outcome)
    })
  })
}

/** The totals of a test as tap prints them; a program counts for one. */
function outcomeOf(output: string, isGood: boolean): Outcome {
  const totals = /^# \{ total: .*\}$/m.exec(output)?.[0] ?? ''
  const pass = Number(/pass: (\d+)/.exec(totals)?.[1] ?? 0)
  const fail = Number(/fail: (\d+)/.exec(totals)?.[1] ?? 0)
  if (isGood) return { pass: Math.max(pass, totals === '' ? 1 : 0), fail }
  return { pass, fail: Math.max(1, fail) }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`
}

async function runAll(names: readonly string[]): Promise<number> {
  const beganAtMs = performance.now()
  const sum = { pass: 0, fail: 0 }
  for (const [index, name] of names.entries()) {
    process.stdout.write(`# ${name} (${index + 1} of ${names.length})\n`)
    const atMs = performance.now()
    const deadlineMs = Math.min(programMaxMs, allMaxMs - (atMs - beganAtMs))
    const { pass, fail } = deadlineMs > 0 ? await run(files.get(name)!, deadlineMs) : { pass: 0, fail: 1 }
    const result = fail === 0 ? 'ok' : 'not ok'
    process.stdout.write(`${result} ${index + 1} - ${name} # time=${seconds(performance.now() - atMs)}\n`)
    sum.pass += pass
    sum.fail += fail
  }
  process.stdout.write(`# { total: ${sum.pass + sum.fail}, pass: ${sum.pass}, fail: ${sum.fail} }\n`)
  process.stdout.write(`# time=${seconds(performance.now() - beganAtMs)}\n`)
  return sum.fail === 0 ? 0 : 1
}

const args = process.argv.slice(2)
const unknown = args.filter(arg => arg !== '--list' && !files.has(arg))
if (unknown.length > 0) {
  console.error(`no acceptance program ${unknown.join(', ')}; there are ${[...files.keys()].join(', ')}`)
  process.exitCode = 1
} else if (args.includes('--list')) {
  process.stdout.write(`${[...files.keys()].join('\n')}\n`)
} else {
  process.exitCode = await runAll(args.length > 0 ? args : [...files.keys()])
}
