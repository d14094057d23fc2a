/**
 * The options of `starfish up`.
 */
import { isHost } from '../messages/host.ts'
import { textOf, wholeNumber, wrongValue } from './option-values.ts'
import { type OptionForm, readOptions } from './read-options.ts'

/** `starfish up`, as it was called. */
export interface UpOptions {
  readonly host: string
  readonly port: number
  readonly logPort: number
  readonly data: string
  readonly shards?: number
  /** Whether a parent process watches over the node. */
  readonly heart: boolean
  readonly help: boolean
}

const command = 'starfish up'

const hostText = 'an IP address or a host name'
const folderText = 'the path of a folder'
const portRange = { min: 0, max: 65_535 }
const shardsRange = { min: 1, max: 1_024 }

/** The options, as they are written. */
export const upForms = {
  host: { takes: hostText },
  port: { takes: textOf(portRange) },
  'log-port': { takes: textOf(portRange) },
  data: { takes: folderText },
  shards: { takes: textOf(shardsRange) },
  'no-heart': {},
  help: { short: 'h' },
} as const satisfies Record<string, OptionForm>

/** What `starfish up --help` says. */
export const upHelp = `Usage: starfish up [options]

Runs a node until it is told to stop.

  --host <address>     address to listen on (default 127.0.0.1: this machine only)
  --port <number>      port of the event server, 0 for any (default 7400)
  --log-port <number>  port of the message log, 0 for any (default 7401)
  --data <folder>      where the message log is stored, by one node at a time (default ./data)
  --shards <count>     worker threads that serve, 1 to 1024 (default: one for each processor, at least 2)
  --no-heart           run the node bare, without the parent process that restarts it when it dies or hangs
  -h, --help           show this

To stop it: Ctrl-C (SIGINT), SIGTERM or SIGHUP to the process that was started. What was received whole is answered, then
the connections end. Connections that are still open after 11 seconds, of clients that do not read perhaps, are cut off;
a node that has not ended after 15 seconds is killed. A second Ctrl-C ends it at once.

Exit code 0: stopped. 1: wrong options, could not start, or failed for good. 130: second Ctrl-C. 137: killed.
Logs go to stderr: lines on a terminal (NO_COLOR=1 for plain ones), JSON elsewhere.
`

/** Reads the arguments after `up`; throws `UsageError`. */
export function parseUpOptions(args: readonly string[]): UpOptions {
  const given = readOptions(command, upForms, args)
  const shards = given.get('shards')
  const host = given.get('host') ?? '127.0.0.1'
  if (!isHost(host)) throw wrongValue(command, 'host', hostText, host)
  const data = given.get('data') ?? './data'
  if (data === '') throw wrongValue(command, 'data', folderText, data)
  return {
    host,
    port: wholeNumber(command, 'port', given.get('port') ?? '7400', portRange),
    logPort: wholeNumber(command, 'log-port', given.get('log-port') ?? '7401', portRange),
    data,
    ...(shards === undefined ? {} : { shards: wholeNumber(command, 'shards', shards, shardsRange) }),
    heart: !given.has('no-heart'),
    help: given.has('help'),
  }
}
