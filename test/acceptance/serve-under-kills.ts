/**
 * Kills an actor and a worker of an event server every two seconds while clients in a process of their own keep it busy,
 * and holds every answer, every lost request, every reset and every gap against what was killed:
 * `node test/acceptance/serve-under-kills.ts [seconds] [seed]`. Both ways of accepting run one after the other.
 *
 *     this process --- starts, asks to stop ---> server.ts   kills its own actors and workers
 *        judges    <-- kills ------------------
 *                  --- starts, asks to stop ---> client.ts   steady and short connections
 *                  <-- endings, gaps, faults --
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type ClientReport, type FromServer, judge, type Kill, type Mode, type Verdict } from './kills/account.ts'

const seconds = Number(process.argv[2] ?? 60)
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32))
const deadlineMs = (seconds + 60) * 1_000

/** Starts a process that must not end by itself. */
function start(script: string, ...args: readonly unknown[]): ChildProcess {
  const child = fork(new URL(`kills/${script}`, import.meta.url), args.map(String))
  child.on('exit', code => {
    if (code === 0) return
    console.error(`${script} ended with ${code}`)
    process.exit(1)
  })
  return child
}

async function run(mode: Mode): Promise<Verdict> {
  const kills: Kill[] = []
  const over = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<number>()
  const server = start('server.ts', mode, seed, seconds)
  server.on('message', (message: FromServer) => {
    if (message.type === 'ready') ready.resolve(message.port)
    else if (message.type === 'kill') kills.push(message)
    else over.resolve()
  })
  const client = start('client.ts', await ready.promise, seed)
  await over.promise
  const reported = once(client, 'message') as Promise<[ClientReport]>
  client.send('finish')
  const [report] = await reported
  server.send('stop')
  await once(server, 'exit')
  return judge(kills, report)
}

setTimeout(() => {
  console.error(`not over after ${deadlineMs * 2} ms`)
  process.exit(1)
}, deadlineMs * 2).unref()

for (const mode of ['reusePort', 'handoff'] as const) {
  const { violations, figures } = await run(mode)
  console.log(JSON.stringify({ mode, seed, seconds, ...figures, violations: violations.length }, null, 2))
  for (const violation of violations.slice(0, 20)) console.error(`${mode}: ${violation}`)
  if (violations.length > 0) process.exitCode = 1
}
