/**
 * In a terminal, under npm: one Ctrl-C reaches the node once. Needs the `script` of util-linux; skipped elsewhere.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type Fact, orderNode } from '../fixtures/heart/command.ts'
import { needsScript } from '../fixtures/terminal.ts'

const bin = fileURLToPath(new URL('../fixtures/heart/bin.ts', import.meta.url))

t.test('one Ctrl-C under npm start is one SIGINT', needsScript, async t => {
  const start = `${JSON.stringify(process.execPath)} ${JSON.stringify(bin)} up`
  const cwd = t.testdir({ 'package.json': JSON.stringify({ type: 'module', scripts: { start } }) })
  // `never`: the node counts SIGINTs and goes on.
  const terminal = spawn('script', ['-qec', 'npm start --silent', '/dev/null'], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, FAKE_STOP: 'never' },
  })
  t.teardown(() => terminal.kill('SIGKILL'))
  const lines = createInterface(terminal.stdout)[Symbol.asyncIterator]()
  let interrupts = 0
  const until = async (is: Fact['is']): Promise<Fact> => {
    for (;;) {
      const { value = '{"is":"gone"}' } = await lines.next()
      // The terminal echoes ^C before what the node says.
      const text = value.slice(value.indexOf('{'))
      const fact = text.startsWith('{"is"') ? JSON.parse(text) : {}
      if (fact.signal === 'SIGINT') interrupts++
      if ((fact.is === is && fact.signal !== 'SIGINT') || fact.is === 'gone') return fact
    }
  }

  const ready = await until('ready')
  terminal.stdin.write('\x03')
  await until('stopping')
  // The parent passes signals on in their order: once this one is there, all that Ctrl-C caused is.
  process.kill(ready.parent, 'SIGTERM')
  await until('told')
  await orderNode(ready, 'finish')
  await until('gone')
  t.equal(interrupts, 1)
  t.throws(() => process.kill(ready.pid, 0), { code: 'ESRCH' }, 'nothing is left behind')
})
