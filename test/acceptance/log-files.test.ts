/** `starfish log` whose lines come from files and go to files: all of them are there, or it says so. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createLogClient, type LogClient } from '../../src/index.ts'
import { serveLog } from '../services/fixtures/served-log.ts'

t.setTimeout(120_000)

const bin = fileURLToPath(new URL('../../src/bin.js', import.meta.url))

interface Files {
  readonly stdin?: string
  readonly stdout: string
  /** What the shell does first. */
  readonly first?: string
}

/** Runs the command to its end. */
async function run(args: readonly string[], { stdin = '/dev/null', stdout, first = ':' }: Files) {
  const fds = [openSync(stdin, 'r'), openSync(stdout, 'w')]
  const command = ['-c', `${first}; exec "$@"`, 'sh', process.execPath, bin, 'log', ...args]
  const child = spawn('sh', command, { stdio: [...fds, 'pipe'] })
  for (const fd of fds) closeSync(fd)
  const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')])
  return { code, stderr }
}

async function world(t: Test): Promise<{ broker: readonly string[]; client: LogClient; stdout: string }> {
  const { port } = await serveLog(t, 0)
  const client = createLogClient({ brokers: { port } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return { broker: ['--broker', `127.0.0.1:${port}`], client, stdout: join(t.testdir(), 'lines') }
}

const done = { code: 0, stderr: '' }

t.test('messages of any size are copied by way of a file', async t => {
  const { broker, client, stdout } = await world(t)
  const [one = -1] = (await client.createTopic('one')).partitions
  const [two = -1] = (await client.createTopic('two')).partitions
  const values = [Buffer.alloc(3_000_000), Buffer.alloc(16_777_100, 0xff), Buffer.from('small')]
  for (const value of values) await client.produce(one, [{ value }])
  t.same(await run(['consume', '--topic', 'one', '--until-end', '--json', ...broker], { stdout }), done)
  t.same(await run(['produce', '--topic', 'two', '--json', ...broker], { stdin: stdout, stdout: '/dev/null' }), done)
  t.equal(await client.getOffset(two), values.length)
  for (const [offset, value] of values.entries()) {
    const { messages } = await client.fetch(two, offset, 1)
    t.ok(messages[0]?.value?.equals(value), `${value.length} bytes`)
  }
})

t.test('a message that no server takes is named by its line, and all before it are stored', async t => {
  const { broker, client, stdout } = await world(t)
  const [partition = -1] = (await client.createTopic('t')).partitions
  const told = /^starfish log produce: line 2: its message has 16777181 bytes, more than 16777180\n$/
  for (const [line, ...json] of [
    [(text: string) => text],
    [(value: string) => JSON.stringify({ value }), '--json'],
  ] as const) {
    const stdin = `${stdout}-read`
    writeFileSync(stdin, `${line('a')}\n${line('x'.repeat(16_777_165))}\n`)
    t.match(await run(['produce', '--topic', 't', ...json, ...broker], { stdin, stdout }), { code: 1, stderr: told })
  }
  t.equal(await client.getOffset(partition), 2)
})

t.test('a file that can hold no more ends a consumer with 1', async t => {
  const { broker, client, stdout } = await world(t)
  const [partition = -1] = (await client.createTopic('t')).partitions
  const values = Array.from({ length: 20_000 }, (_, n) => ({ value: `${1_000_000 + n}` }))
  await client.produce(partition, values)
  const files = { stdout, first: 'ulimit -f 64' }
  const full = { code: 1, stderr: /^starfish log consume: EFBIG: .*\n$/ }
  t.match(await run(['consume', '--topic', 't', '--until-end', ...broker], files), full)
  const { size } = statSync(stdout)
  t.ok(size > 0 && size < 160_000, `${size} bytes are there`)
})

const skip = !existsSync('/dev/full') && 'needs /dev/full'

t.test('a disk that is full ends each command with 1', { skip }, async t => {
  const { broker, client } = await world(t)
  await client.createTopic('t')
  await client.produce(1, [{ value: 'a' }])
  for (const args of [['consume', '--until-end', '--topic', 't'], ['produce', '--topic', 't'], ['topics']]) {
    const told = await run([...args, ...broker], { stdout: '/dev/full' })
    t.match(told, { code: 1, stderr: new RegExp(`^starfish log ${args[0]}: ENOSPC: .*\n$`) })
  }
})
