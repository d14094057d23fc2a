/**
 * A server that kills its own actors and workers, and a client that keeps it busy, each in a process of its own.
 *
 *     this process --- starts, asks to stop ---> server.ts   kills its own actors and workers
 *                  <-- kills ------------------
 *                  --- starts, asks to stop ---> a client
 *                  <-- its report -------------
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { FromServer, Kill, Mode } from './account.ts'

/** What the command line of such a program says: `[seconds] [seed]`. */
export interface RunLength {
  readonly seconds: number
  readonly seed: number
}

/** Reads it, and ends the process should the runs of both modes hang. */
export function boundedRun(argv: readonly string[]): RunLength {
  const seconds = Number(argv[2] ?? 60)
  const seed = Number(argv[3] ?? Math.floor(Math.random() * 2 ** 32))
  const deadlineMs = 2 * (seconds + 60) * 1_000
  setTimeout(() => {
    console.error(`not over after ${deadlineMs} ms`)
    process.exit(1)
  }, deadlineMs).unref()
  return { seconds, seed }
}

/** What is started: the client's module in this folder, with arguments that follow the port. */
export interface Client {
  readonly script: string
  readonly args: readonly unknown[]
}

/** Runs both for the given time; answers what was killed, and the client's report. */
export async function runUnderKills<R>(
  mode: Mode,
  { seconds, seed }: RunLength,
  { script, args }: Client,
): Promise<{ readonly kills: readonly Kill[]; readonly report: R }> {
  const kills: Kill[] = []
  const over = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<number>()
  const server = start('server.ts', mode, seed, seconds)
  server.on('message', (message: FromServer) => {
    if (message.type === 'ready') ready.resolve(message.port)
    else if (message.type === 'kill') kills.push(message)
    else over.resolve()
  })
  const client = start(script, await ready.promise, ...args)
  await over.promise
  const reported = once(client, 'message') as Promise<[R]>
  client.send('finish')
  const [report] = await reported
  server.send('stop')
  await once(server, 'exit')
  return { kills, report }
}

/** Starts a process that must not end by itself. */
function start(script: string, ...args: readonly unknown[]): ChildProcess {
  const child = fork(new URL(script, import.meta.url), args.map(String))
  child.on('exit', code => {
    if (code === 0) return
    console.error(`${script} ended with ${code}`)
    process.exit(1)
  })
  return child
}
