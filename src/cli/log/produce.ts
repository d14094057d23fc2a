/** `starfish log produce`: lines of stdin become messages. */
import { fstatSync } from 'node:fs'
import type { LogClient } from '../../services/log-client.ts'
import type { StopSignals } from '../stop-signals.ts'
import { LineCutter, messageOf } from './lines.ts'
import type { ProduceCall } from './log-options.ts'
import { showProgress } from './progress.ts'

/** The longest line, in bytes: what fits a frame of a server that was told nothing else. */
const lineBytesMax = 16_777_000

/** Settles with the exit code. Rejects with what no line is to blame for. */
export async function produceLines(client: LogClient, call: ProduceCall, signals: StopSignals): Promise<number> {
  const { topic, acknowledgement, json } = call
  const producer = client.producer({ acknowledgement })
  const cutter = new LineCutter(lineBytesMax)
  const startMs = performance.now()
  let stored = 0
  let bytes = 0
  let failure: unknown

  function send(lines: readonly Buffer[]): void {
    if (lines.length === 0) return
    const messages = lines.map(line => messageOf(line, call))
    producer.send({ topic, messages }).then(
      () => {
        stored += messages.length
      },
      error => {
        failure ??= error
        process.stdin.destroy()
      },
    )
  }

  const endProgress = await showProgress(() => ({
    messages: stored,
    bytes,
    bytesTotal: bytesOfStdin(),
    elapsedMs: performance.now() - startMs,
  }))
  void signals.asked.then(() => process.stdin.destroy())
  try {
    for await (const chunk of process.stdin) {
      bytes += (chunk as Buffer).length
      send(cutter.cut(chunk))
      await producer.ready()
    }
    const last = cutter.last()
    if (last !== undefined) send([last])
  } catch (error) {
    if (!signals.isAsked) failure ??= error
  }
  await producer.flush()
  endProgress()
  process.stdout.write(json ? `${JSON.stringify({ stored })}\n` : `${stored} messages stored\n`)
  if (failure !== undefined) throw failure
  return signals.isAsked ? 130 : 0
}

/** The size of a file; of a pipe nobody knows it. */
function bytesOfStdin(): number | undefined {
  const stat = fstatSync(0)
  return stat.isFile() ? stat.size : undefined
}
