/** The options of `starfish log`, by what it is to do. */
import { type Acknowledgement, acknowledgements } from '../../messages/log/codes.ts'
import { createFaults } from '../../messages/option-faults.ts'
import { readServer } from '../../services/clients/client-options.ts'
import { textOf, wholeNumber, wrongValue } from '../option-values.ts'
import { type GivenOptions, type OptionForm, readOptions } from '../read-options.ts'
import { UsageError } from '../usage-error.ts'
import type { TlsFiles } from './tls-files.ts'

/** What every `starfish log` is told. */
export interface LogOptions {
  /** `host:port`, of each server. */
  readonly brokers: readonly string[]
  readonly json: boolean
  /** Missing: plain TCP. */
  readonly tls: TlsFiles | undefined
}

/** `starfish log produce`, as it was called. */
export interface ProduceCall extends LogOptions {
  readonly topic: string
  readonly partition: number | undefined
  readonly keySeparator: string | undefined
  readonly acknowledgement: Acknowledgement
}

/** `starfish log consume`, as it was called. */
export interface ConsumeCall extends LogOptions {
  readonly topic: string
  readonly from: 'start' | 'end'
  readonly partition: number | undefined
  readonly offset: number | undefined
  readonly count: number
  readonly untilEnd: boolean
  readonly keySeparator: string | undefined
}

/** `starfish log topics`, as it was called. */
export interface TopicsCall extends LogOptions {
  readonly create: string | undefined
  readonly partitions: number
  readonly delete: string | undefined
}

const addressText = 'the address of a server, host:port, or several'
const topicText = 'the name of a topic'
const fileText = 'the path of a PEM file'
const separatorText = 'the text between key and value'
const acknowledgementText = `one of ${acknowledgements.join(', ')}`
const u32 = { min: 0, max: 0xffff_ffff }
const safe = { min: 0, max: Number.MAX_SAFE_INTEGER }
const some = { min: 1, max: Number.MAX_SAFE_INTEGER }
const partitionsRange = { min: 1, max: 4_096 }

const common = {
  broker: { takes: addressText, isList: true },
  tls: {},
  ca: { takes: fileText },
  cert: { takes: fileText },
  key: { takes: fileText },
  json: {},
  help: { short: 'h' },
} as const satisfies Forms
type Forms = Record<string, OptionForm>

/** The options, as they are written. */
export const logForms = {
  produce: {
    topic: { takes: topicText },
    partition: { takes: textOf(u32) },
    'key-separator': { takes: separatorText },
    acknowledgement: { takes: acknowledgementText },
    ...common,
  },
  consume: {
    topic: { takes: topicText },
    from: { takes: 'start or end' },
    partition: { takes: textOf(u32) },
    offset: { takes: textOf(safe) },
    count: { takes: textOf(some) },
    'until-end': {},
    'key-separator': { takes: separatorText },
    ...common,
  },
  topics: {
    create: { takes: topicText },
    partitions: { takes: textOf(partitionsRange) },
    delete: { takes: topicText },
    ...common,
  },
} as const satisfies Record<string, Forms>

/** What `starfish log` can do. */
export type LogVerb = keyof typeof logForms

const commonHelp = `  --broker <host:port>,…    the server, or several of one log; it may be given again (default 127.0.0.1:7401)
  --tls                     speak TLS with it
  --ca <file>               certificates that its own is to be signed by (default: those that Node.js trusts)
  --cert <file>             the certificate to show a server that asks for one, with
  --key <file>              the private key of it. These three are PEM files, and need --tls
  -h, --help                show this
`

/** What `starfish log --help` says, and `starfish log VERB --help`. */
export const logHelp = {
  log: `Usage: starfish log <produce|consume|topics> [options]

  produce  stores lines from stdin as messages
  consume  writes messages to stdout, a line each
  topics   lists, creates or deletes topics

starfish log <produce|consume|topics> --help shows the options.
`,
  produce: `Usage: starfish log produce --topic <name> [options]

Stores each line of stdin as a message. On a terminal a bar shows how far it has come, and how fast.

  --topic <name>            where to
  --partition <id>          all into this partition (default: by key, else where a batch is filled)
  --key-separator <text>    what stands before it in a line is the key (default: there are no keys)
  --acknowledgement <kind>  committed, received or flushed (default committed)
  --json                    lines are objects: { "key"?, "value", "partition"?, "timestamp"? }; so is what is told at the end.
                            Those that consume --json wrote are read too: where they were ("partition", "offset") is ignored
${commonHelp}
At the end it tells how many messages were stored, in what time. Ctrl-C (SIGINT) ends the reading: what was read is stored, and told.
A second Ctrl-C ends it at once.

Exit code 0: all stored. 1: wrong options, or not all stored; stderr says why. 130: Ctrl-C.
`,
  consume: `Usage: starfish log consume --topic <name> [options]

Writes messages to stdout, a line each, and waits for more until it is told to stop.

  --topic <name>            where from
  --from <start|end>        with the oldest message, or with the next one (default start)
  --partition <id>          this partition only
  --offset <number>         from that offset of --partition on; stands for --from
  --count <number>          stop after so many messages
  --until-end               stop where the partitions ended when it began
  --key-separator <text>    write the key too, and this behind it
  --json                    lines are objects: { "partition", "offset", "timestamp", "key", "value" }; a key or value that is
                            not UTF-8 is an object: { "base64" }
${commonHelp}
Ctrl-C (SIGINT) stops it; so does the end of whoever reads, such as head.

Exit code 0: stopped. 1: wrong options, or a failure; stderr says why.
`,
  topics: `Usage: starfish log topics [options]

Lists topics with their partitions, and where each of those ends. stderr says when there are none.

  --create <name>           create a topic first; with --delete after that, so that one of the same name is made anew
  --partitions <count>      with so many partitions (default 1)
  --delete <name>           delete a topic, and its messages, first
  --json                    a line is an object: { "name", "partitions": [{ "id", "highWaterMark" }] }
${commonHelp}
Exit code 0: done. 1: wrong options, or a failure; stderr says why.
`,
} as const satisfies Record<LogVerb | 'log', string>

/** Reads the arguments after `log produce`; undefined when help is asked for. Throws `UsageError`. */
export function parseProduce(args: readonly string[]): ProduceCall | undefined {
  const command = commandOf('produce')
  const given = readOptions(command, logForms.produce, args)
  if (given.has('help')) return undefined
  const acknowledgement = given.get('acknowledgement') ?? 'committed'
  if (!isAcknowledgement(acknowledgement)) {
    throw wrongValue(command, 'acknowledgement', acknowledgementText, acknowledgement)
  }
  return {
    ...commonOf(command, given),
    topic: topicOf(command, given),
    partition: numberOf(command, given, 'partition', u32),
    keySeparator: separatorOf(command, given),
    acknowledgement,
  }
}

/** Reads the arguments after `log consume`. */
export function parseConsume(args: readonly string[]): ConsumeCall | undefined {
  const command = commandOf('consume')
  const given = readOptions(command, logForms.consume, args)
  if (given.has('help')) return undefined
  const from = given.get('from') ?? 'start'
  if (given.has('offset') && given.has('from'))
    throw new UsageError(command, '--offset stands for --from: give one of them')
  if (from !== 'start' && from !== 'end') throw wrongValue(command, 'from', 'start or end', from)
  const partition = numberOf(command, given, 'partition', u32)
  const offset = numberOf(command, given, 'offset', safe)
  if (offset !== undefined && partition === undefined) throw new UsageError(command, '--offset needs --partition')
  return {
    ...commonOf(command, given),
    topic: topicOf(command, given),
    from,
    partition,
    offset,
    count: numberOf(command, given, 'count', some) ?? Number.POSITIVE_INFINITY,
    untilEnd: given.has('until-end'),
    keySeparator: separatorOf(command, given),
  }
}

/** Reads the arguments after `log topics`. */
export function parseTopics(args: readonly string[]): TopicsCall | undefined {
  const command = commandOf('topics')
  const given = readOptions(command, logForms.topics, args)
  if (given.has('help')) return undefined
  const partitions = numberOf(command, given, 'partitions', partitionsRange)
  const create = nameOf(command, given, 'create')
  if (partitions !== undefined && create === undefined) throw new UsageError(command, '--partitions needs --create')
  return { ...commonOf(command, given), create, partitions: partitions ?? 1, delete: nameOf(command, given, 'delete') }
}

/** What is asked of the options that were given. */
type Given<K extends string> = Pick<GivenOptions<K>, 'get' | 'has'>

/** As errors name it. */
export function commandOf(verb: LogVerb): string {
  return `starfish log ${verb}`
}

function commonOf(command: string, given: Given<keyof typeof common>): LogOptions {
  const brokers = (given.get('broker') ?? '127.0.0.1:7401').split(',')
  for (const broker of brokers) {
    const faults = createFaults()
    readServer('--broker', broker, faults)
    if (!faults.none) throw wrongValue(command, 'broker', addressText, broker)
  }
  return { brokers, json: given.has('json'), tls: tlsOf(command, given) }
}

function tlsOf(command: string, given: Given<keyof typeof common>): TlsFiles | undefined {
  const [ca, cert, key] = [given.get('ca'), given.get('cert'), given.get('key')]
  for (const [one, other] of [
    ['ca', 'tls'],
    ['cert', 'tls'],
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (given.has(one) && !given.has(other)) throw new UsageError(command, `--${one} needs --${other}`)
  }
  return given.has('tls') ? { ca, cert, key } : undefined
}

function nameOf<K extends string>(command: string, given: Given<K>, option: K): string | undefined {
  const name = given.get(option)
  if (name === '') throw wrongValue(command, option, topicText, name)
  return name
}

function topicOf(command: string, given: Given<'topic'>): string {
  const topic = given.get('topic')
  if (topic === undefined || topic === '') throw new UsageError(command, '--topic is missing')
  return topic
}

function separatorOf(command: string, given: Given<'key-separator'>): string | undefined {
  const separator = given.get('key-separator')
  if (separator === '') throw wrongValue(command, 'key-separator', separatorText, separator)
  return separator
}

function numberOf<K extends string>(
  command: string,
  given: Given<K>,
  name: K,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const value = given.get(name)
  return value === undefined ? undefined : wholeNumber(command, name, value, range)
}

function isAcknowledgement(value: string): value is Acknowledgement {
  return (acknowledgements as readonly string[]).includes(value)
}
