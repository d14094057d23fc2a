/** A log server, or its baseline, in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LogPort, ServedReports } from './served.ts'

/** Who serves. */
export type Kind = 'bare' | 'one' | 'two'

/** One of them, in a process of its own. */
export class ServedLog implements AsyncDisposable {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, { port }: LogPort) {
    this.#process = child
    this.port = port
  }

  static async start(kind: Kind): Promise<ServedLog> {
    const child = fork(fileURLToPath(new URL('./served.ts', import.meta.url)), [kind], {
      // As `npm start` does.
      execArgv: ['--expose-gc', '--v8-pool-size=0'],
    })
    const [port] = await once(child, 'message', { signal: AbortSignal.timeout(20_000) })
    return new ServedLog(child, port)
  }

  /** Asks it one thing; one at a time. */
  async ask<K extends keyof ServedReports>(what: K): Promise<ServedReports[K]> {
    this.#process.send(what)
    const [report] = await once(this.#process, 'message', { signal: AbortSignal.timeout(60_000) })
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }
}
