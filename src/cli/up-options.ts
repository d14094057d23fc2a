/**
 * The options of `starfish up`.
 */
import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

/** `starfish up`, as it was called. */
export interface UpOptions {
  readonly host: string
  readonly port: number
  readonly shards?: number
  /** Whether a parent process watches over the node. */
  readonly heart: boolean
  readonly help: boolean
}

/** What `starfish up --help` says. */
export const upHelp = `Usage: starfish up [options]

Runs a node until it is told to stop (SIGINT or SIGTERM; a second SIGINT ends it at once).

  --host <address>  address to listen on (default 127.0.0.1)
  --port <number>   port of the first listener, 0 for any (default 7400)
  --shards <count>  shards to run (default: chosen by the node)
  --no-heart        run the node bare, without the parent process that restarts it
  --help            show this
`

/** Reads the arguments after `up`; throws {@link UsageError}. */
export function parseUpOptions(args: readonly string[]): UpOptions {
  const { values } = parse(args)
  return {
    host: values.host,
    port: wholeNumber('--port', values.port, 0, 65_535),
    ...(values.shards === undefined ? {} : { shards: wholeNumber('--shards', values.shards, 1, 1_024) }),
    heart: !values['no-heart'],
    help: values.help,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '7400' },
        shards: { type: 'string' },
        'no-heart': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    // The first sentence names the option; what follows are hints about quoting.
    const [problem] = (error as Error).message.split(/\.\s|\n/)
    throw new UsageError(`starfish up: ${problem}; see starfish up --help`)
  }
}

function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= min && number <= max) return number
  throw new UsageError(`starfish up: ${name} takes a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`)
}
