/** The `starfish log` command as a process of its own, and a log server for it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { createLogClient, type LogClient } from '../../src/index.ts'
import { serveLog } from '../services/fixtures/served-log.ts'

/** What `starfish` runs. */
export const bin = fileURLToPath(new URL('../../src/bin.js', import.meta.url))

/** How a command ended. */
export interface End {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command while it runs. */
export function start(args: readonly string[], stdin: 'pipe' | number = 'pipe') {
  const child = spawn(process.execPath, [bin, 'log', ...args], { stdio: [stdin, 'pipe', 'pipe'] })
  const [stdout, stderr] = [child.stdout!, child.stderr!]
  let [out, err] = ['', '']
  stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  const ended: Promise<End> = once(child, 'close').then(([code]) => ({ code, stdout: out, stderr: err }))
  return { child, stdout, ended }
}

/** Runs the command to its end. */
export function run(args: readonly string[], input = ''): Promise<End> {
  const { child, ended } = start(args)
  child.stdin!.on('error', () => {})
  child.stdin!.end(input)
  return ended
}

/** A log server, and what a command is told to find it. */
export async function world(t: Test): Promise<{ broker: readonly string[]; client: LogClient }> {
  const { port } = await serveLog(t, 0)
  const client = createLogClient({ brokers: { port } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return { broker: ['--broker', `127.0.0.1:${port}`], client }
}
