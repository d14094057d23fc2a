/**
 * The `starfish` command. Results for people go to stdout, errors and logs to stderr.
 */
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'

import { keepCompiled } from './cli/compile-cache.ts'
import { unknownOption } from './cli/read-options.ts'
import { echoMsOf, listenToStopSignals } from './cli/stop-signals.ts'
import { parseUpOptions, upForms, upHelp } from './cli/up-options.ts'
import { UsageError } from './cli/usage-error.ts'
import { defaultHeartLimits, type HeartLimits } from './heart/decision.ts'
import { isUnderHeart, joinHeart } from './heart/node-side.ts'
import { nearestWord } from './messages/nearest-word.ts'
import type { RunNode } from './running-node.ts'

/** What the entry brings, and what a test puts in the place of the real things. */
export interface CliSurroundings {
  /** Called once `up` listens to signals itself. */
  readonly whenListening?: () => void
  /** Loads what starts a node. Default: `runNode` of the module `node`. */
  readonly loadNode?: () => Promise<RunNode>
  /** Periods and limits of the heart. */
  readonly heartLimits?: HeartLimits
  /** How long a stop may take, ms. Default 15,000. */
  readonly stopLimitMs?: number
}

const help = `Usage: starfish <command> [options]

  up              run a node
  log             produce, consume and list messages of a message log
  help [command]  show this, or the options of a command
  -v, --version   print the version
  -h, --help      show this; after a command, its options
`

/** Runs one command; settles with the exit code. What was called wrongly is told in one line, with code 1. */
export async function runCli(args: readonly string[], surroundings: CliSurroundings = {}): Promise<number> {
  const [command, ...rest] = args
  try {
    switch (command) {
      case 'up':
        return await up(rest, surroundings)
      case 'log': {
        const { runLog } = await import('./cli/log/run-log.ts')
        return await runLog(rest)
      }
      case '--version':
      case '-v':
        return print(`${packageVersion()}\n`)
      case 'help':
      case '--help':
      case '-h':
        return print(await helpOn(rest))
    }
    throw new UsageError('starfish', problemOf(command))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}

async function helpOn([command, verb]: readonly string[]): Promise<string> {
  if (command === undefined || command === 'help') return help
  if (command === 'up') return upHelp
  if (command === 'log') return (await import('./cli/log/run-log.ts')).helpOnLog(verb)
  throw new UsageError('starfish', problemOf(command))
}

/** What is wrong with a first argument that is no command. */
function problemOf(word: string | undefined): string {
  if (word === undefined) return 'no command'
  if (!word.startsWith('-')) {
    const meant = nearestWord(word, ['up', 'log', 'help'])
    return `unknown command ${JSON.stringify(word)}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
  }
  const [name = ''] = word.replace(/^-+/, '').split('=')
  if (Object.hasOwn(upForms, name)) return `--${name} is an option of up: starfish up --${name}`
  return unknownOption(word, ['version', 'help'])
}

async function up(args: readonly string[], surroundings: CliSurroundings): Promise<number> {
  const options = parseUpOptions(args)
  if (options.help) return print(upHelp)
  const { heartLimits = defaultHeartLimits, stopLimitMs = 15_000, loadNode = loadRealNode } = surroundings
  const { whenListening } = surroundings
  const echoMs = echoMsOf(process.env)
  // Each process loads its own half only: the parent is to stay small.
  const isChild = isUnderHeart()
  if (options.heart && !isChild) {
    const { runHeart } = await import('./heart/heart.ts')
    // The same call again: the environment tells the node that it is the child.
    const limits = { ...heartLimits, echoMs }
    const ended = runHeart({ args: [...process.execArgv, ...process.argv.slice(1)], limits })
    whenListening?.()
    return await ended
  }
  // The parent tells its node each signal once.
  const signals = listenToStopSignals(isChild ? 0 : echoMs)
  whenListening?.()
  const tie = isChild ? joinHeart(heartLimits.beatMs) : undefined
  const { serve } = await import('./cli/serve.ts')
  return await serve({ up: options, version: packageVersion(), tie, signals, stopLimitMs, loadNode })
}

async function loadRealNode(): Promise<RunNode> {
  keepCompiled()
  const url = new URL(`./node${extname(new URL(import.meta.url).pathname)}`, import.meta.url)
  const { runNode }: { runNode: RunNode } = await import(url.href)
  return runNode
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
