/**
 * Kills an actor and a worker of an event server every two seconds while clients of the library keep commands in flight,
 * each of which may be handled once only, so none is tried again: `node test/acceptance/client-under-kills.ts [seconds]
 * [seed]`. Every request must be answered with what was asked or fail with a typed error by its deadline, and only those
 * fail whose connection was served by what was killed.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { FromServer, Kill, Mode } from './kills/account.ts'
import type { Failure, SdkReport } from './kills/sdk-client.ts'

const seconds = Number(process.argv[2] ?? 60)
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32))
const deadlineMs = (seconds + 60) * 1_000
/** What a failure may be. */
const codes = new Set(['CONNECTION_LOST', 'CONNECT_FAILED', 'SERVER_OVERLOADED', 'REQUEST_TIMEOUT'])

function start(script: string, ...args: readonly unknown[]): ChildProcess {
  const child = fork(new URL(`kills/${script}`, import.meta.url), args.map(String))
  child.on('exit', code => {
    if (code === 0) return
    console.error(`${script} ended with ${code}`)
    process.exit(1)
  })
  return child
}

async function run(mode: Mode): Promise<void> {
  const kills: Kill[] = []
  const over = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<number>()
  const server = start('server.ts', mode, seed, seconds)
  server.on('message', (message: FromServer) => {
    if (message.type === 'ready') ready.resolve(message.port)
    else if (message.type === 'kill') kills.push(message)
    else over.resolve()
  })
  const client = start('sdk-client.ts', await ready.promise)
  await over.promise
  const reported = once(client, 'message') as Promise<[SdkReport]>
  client.send('finish')
  const [report] = await reported
  server.send('stop')
  await once(server, 'exit')
  judge(mode, kills, report)
}

function judge(mode: Mode, kills: readonly Kill[], { answered, failures, wrong }: SdkReport): void {
  const killed = new Set(kills.flatMap(({ incarnations }) => incarnations))
  const strays = failures.filter(({ servedBy }) => servedBy !== 0 && !killed.has(servedBy))
  const untyped = failures.filter(({ code }) => !codes.has(code))
  const violations = [
    ...wrong,
    ...strays.map(failure => `failed though what served it lives on: ${JSON.stringify(failure)}`),
    ...untyped.map(failure => `failed with something else: ${JSON.stringify(failure)}`),
    ...(answered < 1_000 * seconds ? [`only ${answered} answers`] : []),
  ]
  const figures = {
    mode,
    seed,
    seconds,
    kills: kills.length,
    answered,
    failed: countBy(failures, ({ code, handled }) => `${code}, handled: ${handled}`),
    violations: violations.length,
  }
  console.log(JSON.stringify(figures, null, 2))
  for (const violation of violations.slice(0, 20)) console.error(`${mode}: ${violation}`)
  if (violations.length > 0) process.exitCode = 1
}

function countBy(failures: readonly Failure[], keyOf: (failure: Failure) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const failure of failures) counts[keyOf(failure)] = (counts[keyOf(failure)] ?? 0) + 1
  return counts
}

setTimeout(() => {
  console.error(`not over after ${deadlineMs * 2} ms`)
  process.exit(1)
}, deadlineMs * 2).unref()

for (const mode of ['reusePort', 'handoff'] as const) await run(mode)
