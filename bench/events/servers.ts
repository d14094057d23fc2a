/** The servers that are measured, each in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Ports, Weight } from './served.ts'

/** Which. */
export type Kind = 'bare' | 'starfish'

/** One of them. */
export class Served implements AsyncDisposable {
  readonly ports: Ports
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, ports: Ports) {
    this.#process = child
    this.ports = ports
  }

  static async start(kind: Kind): Promise<Served> {
    const child = fork(fileURLToPath(new URL('./served.ts', import.meta.url)), [kind], { execArgv: ['--expose-gc'] })
    const [ports] = await once(child, 'message', { signal: AbortSignal.timeout(20_000) })
    return new Served(child, ports)
  }

  async weigh(): Promise<Weight> {
    this.#process.send('weigh')
    const [weight] = await once(this.#process, 'message')
    return weight
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }
}
