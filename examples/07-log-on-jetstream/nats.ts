import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A nats-server of our own. */
export interface Nats extends AsyncDisposable {
  readonly address: string
}

/** Starts it with JetStream on a free port; undefined where it is not installed. */
export async function startNats(): Promise<Nats | undefined> {
  // Debian has it where the PATH of most users does not lead.
  const command = ['nats-server', '/usr/sbin/nats-server'].find(each => spawnSync(each, ['--version']).status === 0)
  if (command === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'starfish-example-'))
  const child = spawn(command, ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', '-1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const address = await addressOf(child)
  child.stderr.resume()
  return {
    address,
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit')
      child.kill()
      await exit
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  let address = ''
  for await (const line of createInterface({ input: child.stderr! })) {
    address = /Listening for client connections on (\S+)/.exec(line)?.[1] ?? address
    if (line.includes('Server is ready')) return address
  }
  throw new Error('nats-server ended before it was ready')
}
