/** `starfish log`: a client of the message log on the command line. */
import { isStarfishError } from '../../messages/errors.ts'
import { nearestWord } from '../../messages/nearest-word.ts'
import { createLogClient, type LogClient } from '../../services/log-client.ts'
import { echoMsOf, listenToStopSignals } from '../stop-signals.ts'
import { UsageError } from '../usage-error.ts'
import { consumeLines } from './consume.ts'
import {
  commandOf,
  type LogOptions,
  type LogVerb,
  logForms,
  logHelp,
  parseConsume,
  parseProduce,
  parseTopics,
} from './log-options.ts'
import { produceLines } from './produce.ts'
import { readTls } from './tls-files.ts'
import { tellTopics } from './topics.ts'

/** Runs what stands behind `log`; settles with the exit code. Throws {@link UsageError}. */
export async function runLog(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args
  switch (verb) {
    case 'produce':
      return await run(verb, parseProduce(rest), (client, call) => produceLines(client, call, signals()))
    case 'consume':
      return await run(verb, parseConsume(rest), (client, call) => consumeLines(client, call, signals()))
    case 'topics':
      return await run(verb, parseTopics(rest), tellTopics)
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(helpOnLog(verb === 'help' ? rest[0] : undefined))
      return 0
  }
  throw new UsageError('starfish log', problemOf(verb))
}

/** What `starfish help log` says. */
export function helpOnLog(verb: string | undefined): string {
  if (verb === undefined) return logHelp.log
  if (Object.hasOwn(logForms, verb)) return logHelp[verb as LogVerb]
  throw new UsageError('starfish log', problemOf(verb))
}

function signals() {
  return listenToStopSignals(echoMsOf(process.env))
}

function problemOf(word: string | undefined): string {
  const known = Object.keys(logForms)
  if (word === undefined) return `what to do: ${known.join(', ')}`
  const meant = nearestWord(word, known)
  return `unknown command ${JSON.stringify(word)}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
}

/** Does it with a client. What failed is told in one line, with code 1. */
async function run<C extends LogOptions>(
  verb: LogVerb,
  call: C | undefined,
  work: (client: LogClient, call: C) => Promise<number>,
): Promise<number> {
  if (call === undefined) {
    process.stdout.write(logHelp[verb])
    return 0
  }
  // Who writes is told by each write.
  process.stdout.on('error', () => {})
  let client: LogClient | undefined
  try {
    const { brokers, tls } = call
    client = createLogClient({ brokers, ...(tls === undefined ? {} : { tls: readTls(tls) }) })
    return await work(client, call)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const handled = isStarfishError(error) && error.handled === 'unknown' ? ' (it may have been done)' : ''
    process.stderr.write(`${commandOf(verb)}: ${error.message}${handled}\n`)
    return 1
  } finally {
    await client?.close({ timeoutMs: 0 })
  }
}
