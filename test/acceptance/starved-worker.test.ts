/**
 * A worker that the machine starves is left alone: it is pinned to one processor at the lowest priority, and others
 * burn that processor for some seconds. Linux with taskset and renice; skipped elsewhere.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const script = fileURLToPath(new URL('../fixtures/host/starved-node.ts', import.meta.url))
const burnSeconds = 4
const stalledAfterMs = 1_000

function canStarve(): boolean {
  try {
    execFileSync('taskset', ['--version'])
    execFileSync('renice', ['--version'])
    return process.platform === 'linux'
  } catch {
    return false
  }
}

function burn(cpu: string): ChildProcess {
  return spawn('timeout', [String(burnSeconds), 'taskset', '-c', cpu, 'sh', '-c', 'while :; do :; done'])
}

t.test(
  'a starved worker is diagnosed and never ended',
  { skip: !canStarve() && 'needs taskset and renice' },
  async t => {
    const node = spawn(process.execPath, [script, String(stalledAfterMs)], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => node.kill('SIGKILL'))
    const lines = createInterface(node.stdout)[Symbol.asyncIterator]()
    const next = async () => JSON.parse((await lines.next()).value ?? '{"end":"no more lines"}')

    const { osThreadId } = await next()
    const cpu = execFileSync('taskset', ['-pc', String(osThreadId)], { encoding: 'utf8' }).match(/(\d+)\s*$/)![1]!
    execFileSync('taskset', ['-pc', cpu, String(osThreadId)])
    execFileSync('renice', ['-n', '19', '-p', String(osThreadId)])
    const burners = [burn(cpu), burn(cpu)]
    const burnt = Promise.all(burners.map(burner => once(burner, 'exit')))

    t.match(await next(), { diagnosis: 'starved' })
    await burnt
    t.match(await next(), { diagnosis: 'alive' }, `it lives after ${burnSeconds} s`)
  },
)
