/**
 * In a terminal, under npm: one Ctrl-C reaches the node once. Needs the `script` of util-linux; skipped elsewhere.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type Fact, orderNode } from '../fixtures/heart/command.ts'

const bin = fileURLToPath(new URL('../fixtures/heart/bin.ts', import.meta.url))

function hasScript(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
  } catch {
    return false
  }
}

t.test('one Ctrl-C under npm start is one SIGINT', { skip: !hasScript() && 'needs script of util-linux' }, async t => {
  const start = `${JSON.stringify(process.execPath)} ${JSON.stringify(bin)} up`
  const cwd = t.testdir({ 'package.json': JSON.stringify({ type: 'module', scripts: { start } }) })
  // `hang`: after the first SIGINT the node waits, and a second one would end it.
  const terminal = spawn('script', ['-qec', 'npm start --silent', '/dev/null'], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, FAKE_STOP: 'hang' },
  })
  t.teardown(() => terminal.kill('SIGKILL'))
  const lines = createInterface(terminal.stdout)[Symbol.asyncIterator]()
  const until = async (is: Fact['is']): Promise<Fact> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`ended before it was ${is}`)
      const text = value.slice(value.indexOf('{'))
      const fact = text.startsWith('{"is"') ? JSON.parse(text) : undefined
      if (fact?.is === is) return fact
    }
  }

  const ready = await until('ready')
  terminal.stdin.write('\x03')
  await until('stopping')
  // It takes an order, so it lives; were there a second SIGINT on its way, npm would have passed it on by now.
  await orderNode(ready, 'finish')
  await once(terminal, 'exit')
  t.throws(() => process.kill(ready.pid, 0), { code: 'ESRCH' }, 'nothing is left behind')
})
