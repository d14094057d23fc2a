/** `starfish log produce`: lines of stdin become messages. */
import { fstatSync } from 'node:fs'
import { isStarfishError } from '../../messages/errors.ts'
import { logClientDefaults } from '../../services/clients/log/log-client-options.ts'
import { type ProducerMessage, producerMessageBytes } from '../../services/clients/log/message.ts'
import { besideMessageBytes } from '../../services/clients/log/producer/producer-options.ts'
import type { LogClient } from '../../services/log-client.ts'
import type { StopSignals } from '../stop-signals.ts'
import { LineCutter, messageOf } from './lines.ts'
import { commandOf, type ProduceCall } from './log-options.ts'
import { writeOut } from './output.ts'
import { showProgress, storedLine } from './progress.ts'
import { connectionTrouble, tellTrouble } from './trouble.ts'

/** The largest message, in bytes: what fits a request of the client. */
const messageBytesMax = logClientDefaults.frameBytesMax - besideMessageBytes

/** The longest line, in bytes. In JSON a byte is up to six, as NUL is, and what is beside key and value has less than 256. */
const lineBytesMax = { plain: messageBytesMax, json: 6 * messageBytesMax + 256 }

/** How long what is in flight may take once a send has failed, if there is a server, ms. */
const endTimeoutMs = 5_000

/** Settles with the exit code. Rejects with what no line is to blame for, and with the line that is none. */
export async function produceLines(client: LogClient, call: ProduceCall, signals: StopSignals): Promise<number> {
  const { topic, acknowledgement, json } = call
  const producer = client.producer({ acknowledgement })
  const lineMax = json ? lineBytesMax.json : lineBytesMax.plain
  const cutter = new LineCutter(lineMax)
  const startMs = performance.now()
  let linesRead = 0
  let stored = 0
  let bytes = 0
  let failure: unknown
  let giveUp: Promise<void> | undefined

  /** Sends the lines before the first that is none. */
  function send(lines: readonly Buffer[]): void {
    const messages: ProducerMessage[] = []
    try {
      for (const line of lines) {
        linesRead++
        messages.push(checkedMessage(messageOf(line, call)))
      }
    } catch (error) {
      throw lineError(error)
    } finally {
      if (messages.length > 0) sendAll(messages)
    }
  }

  function sendAll(messages: readonly ProducerMessage[]): void {
    producer.send({ topic, messages }).then(
      () => {
        stored += messages.length
      },
      error => {
        failure ??= error
        stored += storedOf(error)
        process.stdin.destroy()
        // Without a server every further wait would end as this one did.
        giveUp ??= producer.close({ timeoutMs: connectionTrouble(client.stats()) === undefined ? endTimeoutMs : 0 })
      },
    )
  }

  function lineError(error: unknown): Error {
    return new Error(`line ${linesRead}: ${error instanceof Error ? error.message : String(error)}`)
  }

  const progress = await showProgress(() => ({
    messages: stored,
    bytes,
    bytesTotal: bytesOfStdin(),
    elapsedMs: performance.now() - startMs,
  }))
  const endTrouble = tellTrouble(commandOf('produce'), () => connectionTrouble(client.stats()), progress.say)
  void signals.asked.then(() => process.stdin.destroy())
  try {
    for await (const chunk of process.stdin) {
      bytes += (chunk as Buffer).length
      send(cutter.cut(chunk))
      if (cutter.isTooLong) {
        linesRead++
        throw lineError(`it has more than ${lineMax} bytes`)
      }
      await producer.ready()
    }
    const last = cutter.last()
    if (last !== undefined) send([last])
  } catch (error) {
    if (!signals.isAsked) failure ??= error
  }
  await producer.flush()
  await giveUp
  endTrouble()
  progress.end()
  const told = json ? JSON.stringify({ stored }) : storedLine(stored, performance.now() - startMs)
  try {
    await writeOut(Buffer.from(`${told}\n`))
  } catch (error) {
    failure ??= error
  }
  if (failure !== undefined) throw failure
  return signals.isAsked ? 130 : 0
}

/** One that is too large would take all of its send with it. */
function checkedMessage(message: ProducerMessage): ProducerMessage {
  const bytes = producerMessageBytes(message)
  if (bytes > messageBytesMax) throw new Error(`its message has ${bytes} bytes, more than ${messageBytesMax}`)
  return message
}

/** Messages of a send that failed which are stored all the same. */
function storedOf(error: unknown): number {
  const stored = isStarfishError(error) ? error.details?.['stored'] : undefined
  return typeof stored === 'number' ? stored : 0
}

/** The size of a file; of a pipe nobody knows it. */
function bytesOfStdin(): number | undefined {
  const stat = fstatSync(0)
  return stat.isFile() ? stat.size : undefined
}
