/**
 * In a terminal, under npm: one Ctrl-C reaches the node once, whether the shell that npm starts stays between or not, and
 * what npm is told reaches the node at all. Needs the `script` of util-linux; skipped elsewhere.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type Fact, orderNode } from '../fixtures/heart/command.ts'
import { needsScript } from '../fixtures/terminal.ts'

const bin = fileURLToPath(new URL('../fixtures/heart/bin.ts', import.meta.url))
const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(bin)} up`

interface Terminal {
  /** The next fact of that kind that is not about a SIGINT; `gone` when nobody holds the terminal any more. */
  until(is: Fact['is']): Promise<Fact>
  type(text: string): void
  /** SIGINTs that the node has told of. */
  readonly interrupts: number
}

/** Runs `npm start` with this start script and a fake node. */
function npmStart(t: Test, start: string, env: Readonly<Record<string, string>> = {}): Terminal {
  const cwd = t.testdir({ 'package.json': JSON.stringify({ type: 'module', scripts: { start } }) })
  const terminal = spawn('script', ['-qec', 'npm start --silent', '/dev/null'], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  t.teardown(() => terminal.kill('SIGKILL'))
  const lines = createInterface(terminal.stdout)[Symbol.asyncIterator]()
  let interrupts = 0
  return {
    type: text => void terminal.stdin.write(text),
    get interrupts() {
      return interrupts
    },
    async until(is) {
      for (;;) {
        const { value = '{"is":"gone"}' } = await lines.next()
        // The terminal echoes ^C before what the node says.
        const text = value.slice(value.indexOf('{'))
        const fact = text.startsWith('{"is"') ? JSON.parse(text) : {}
        if (fact.signal === 'SIGINT') interrupts++
        if ((fact.is === is && fact.signal !== 'SIGINT') || fact.is === 'gone') return fact
      }
    },
  }
}

for (const start of [command, `exec ${command}`]) {
  t.test(`one Ctrl-C under npm start is one SIGINT: ${start.split(' ')[0]}`, needsScript, async t => {
    // `never`: the node counts SIGINTs and goes on.
    const terminal = npmStart(t, start, { FAKE_STOP: 'never' })
    const ready = await terminal.until('ready')
    terminal.type('\x03')
    await terminal.until('stopping')
    // The parent passes signals on in their order: once this one is there, all that Ctrl-C caused is.
    process.kill(ready.parent, 'SIGTERM')
    await terminal.until('told')
    await orderNode(ready, 'finish')
    await terminal.until('gone')
    t.equal(terminal.interrupts, 1)
    t.throws(() => process.kill(ready.pid, 0), { code: 'ESRCH' }, 'nothing is left behind')
  })
}

t.test('npm start passes on what npm is told', needsScript, async t => {
  t.match(scripts.start, /^exec /)
  const terminal = npmStart(t, `exec ${command}`)
  const { pid, parent } = await terminal.until('ready')
  const [, npm] = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${parent}/status`, 'utf8'))!
  process.kill(Number(npm), 'SIGTERM')
  await terminal.until('stopping')
  await terminal.until('gone')
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, 'nothing is left behind')
})
