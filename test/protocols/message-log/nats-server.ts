/** A nats-server with JetStream of a test's own: on a port of its own, in a folder of its own, ended with the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

/** Set where a machine is to have all that tests need, as in CI: then what is missing fails them. */
const required = process.env['STARFISH_TESTS_SKIP_NOTHING'] === '1'

/** Debian has it where the PATH of most users does not lead. */
const command = spawnSync('nats-server', ['--version']).error === undefined ? 'nats-server' : '/usr/sbin/nats-server'

/** Between two looks at the health of a server. */
const healthPauseMs = 20

/** Whether a test has to be skipped, with why: for the options of a tap test. Throws where nothing is to be skipped. */
export function skipWithoutNats(): string | false {
  if (spawnSync(command, ['--version']).error === undefined) return false
  const text = 'there is no nats-server: apt-get install nats-server, or see https://nats.io'
  if (required) throw new Error(text)
  return text
}

/** A running server, and its store. */
export interface NatsServer {
  /** `127.0.0.1:<port>`. */
  readonly address: string
  /** Kills it, as a power cut would but for what the kernel has; resolves when it is gone. */
  kill(): Promise<void>
  /** Lets it end in good order; resolves when it is gone. */
  stop(): Promise<void>
  /** Starts it again: the same port and store. Resolves when it serves. */
  start(): Promise<void>
  /** Resolves when it says of itself that it is well: in a cluster, when it has what the others have, so that another may be lost. */
  whenHealthy(): Promise<void>
  /** Halts it, so that it does not answer, though it is there; resolves when it stands. `resume` has it go on. */
  halt(): Promise<void>
  resume(): void
  /** Ends it, and removes the store. */
  close(): Promise<void>
}

/** Starts one. `more` goes to its command line. */
export async function startNats(more: readonly string[] = []): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'starfish-nats-'))
  let port = '-1'
  let monitorPort = ''
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    child = spawn(command, ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', port, '-m', '-1', ...more], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    process.once('exit', endWithProcess)
    const said: string[] = []
    for await (const line of createInterface({ input: child.stderr! })) {
      said.push(line)
      monitorPort = /Starting http monitor on 127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? monitorPort
      port = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? port
      if (!line.includes('Server is ready')) continue
      child.stderr?.resume()
      return
    }
    throw new Error(`nats-server ended: ${said.join('\n')}`)
  }

  async function whenHealthy(): Promise<void> {
    while (!(await fetch(`http://127.0.0.1:${monitorPort}/healthz`)).ok) await pause(healthPauseMs)
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child
    if (ending === undefined) return
    child = undefined
    process.off('exit', endWithProcess)
    const exit = once(ending, 'exit')
    ending.kill(signal)
    ending.kill('SIGCONT')
    await exit
  }

  async function halt(): Promise<void> {
    child?.kill('SIGSTOP')
    while (!stateOf(child?.pid).startsWith('T'));
  }

  function endWithProcess(): void {
    child?.kill('SIGKILL')
  }

  await start()
  return {
    address: `127.0.0.1:${port}`,
    start,
    whenHealthy,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    halt,
    resume: () => void child?.kill('SIGCONT'),
    async close() {
      await end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The state of a process as `ps` has it, which a machine need not have: `T` for one that was halted. */
function stateOf(pid: number | undefined): string {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? ''
  return spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout
}
