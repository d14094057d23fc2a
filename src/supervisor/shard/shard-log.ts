/**
 * The log of a shard: its lines are posted one by one, so that a dying worker's last words are kept, and written by the
 * user's logger on the main thread, errors included as the errors they are.
 *
 * What an actor says is posted at once: it may never come to the end of what it does. What the kernel says, of actors that
 * crashed above all, is written when all that runs now is done, or before the next line of an actor, or the thread's own end:
 * the actor that comes back is not kept waiting, nor is a sleeping main thread woken in its way.
 */
import { createRequire } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { decodeError, encodeError } from '../../messages/error-codec.ts'
import { createKernelLog, type KernelLog, type KernelLogger, type LogFields } from '../kernel/kernel-log.ts'

/** What a shard logs with. */
export interface ShardLog {
  /** That of its actors. */
  readonly logger: KernelLogger
  /** That of its kernel; by default the same. */
  readonly log?: KernelLog
}

/** How many records may wait to be written. */
const recordsMax = 64

/**
 * The log of a shard, whose lines {@link relog} takes at the other end of `port`. Its logger is made when it is first used,
 * by {@link loadPino}: a worker that replaces a lost one is waited for, and seldom has anything to say.
 */
export function createShardLog(shard: number, level: string, port: MessagePort): Required<ShardLog> {
  let made: Logger | undefined
  function own(): Logger {
    made ??= loadPino()({ level, base: null, serializers: { err: encodeError } }, { write }).child({ shard })
    return made
  }
  function write(line: string): void {
    log.flush()
    port.postMessage(line)
  }
  const logger: KernelLogger = {
    child: (bindings, options) => own().child(bindings, options),
    isLevelEnabled: level => own().isLevelEnabled(level),
    get info() {
      return own().info.bind(own())
    },
    get warn() {
      return own().warn.bind(own())
    },
    get error() {
      return own().error.bind(own())
    },
  }
  const log = new LateLog(createKernelLog(logger, true))
  process.once('exit', () => log.flush())
  return { logger, log }
}

/** Writes records in the order in which they came, later. */
class LateLog implements KernelLog {
  readonly #log: KernelLog
  #records: (() => void)[] = []

  constructor(log: KernelLog) {
    this.#log = log
  }

  info(fields: LogFields, message: string): void {
    this.#add(() => this.#log.info(fields, message))
  }

  warn(fields: LogFields, message: string): void {
    this.#add(() => this.#log.warn(fields, message))
  }

  error(fields: LogFields, message: string): void {
    this.#add(() => this.#log.error(fields, message))
  }

  flush(): void {
    const records = this.#records
    if (records.length === 0) return
    this.#records = []
    for (const write of records) write()
  }

  #add(write: () => void): void {
    this.#records.push(write)
    if (this.#records.length >= recordsMax) this.flush()
    else if (this.#records.length === 1) process.nextTick(() => this.flush())
  }
}

/** Loads pino, if this thread has not: for 15 to 20 ms of processor time. */
export function loadPino(): typeof import('pino').pino {
  const { pino }: typeof import('pino') = createRequire(import.meta.url)('pino')
  return pino
}

/** Hands a line of a shard's log to the user's logger, with the time at which it was written. */
export function relog(logger: Logger, line: string): void {
  const { level, msg, time, ...fields } = JSON.parse(line)
  if (fields.err !== undefined) fields.err = decodeError(fields.err)
  const method = logger.levels.labels[level] as 'info' | undefined
  logger[method ?? 'info']({ ...fields, loggedAtMs: time }, msg)
}
