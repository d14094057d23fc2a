/** `starfish log`, the real command: over TLS, on a terminal, to the end of a log, and where no server is. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { certificate, privateKey } from '../actors/acceptor/test-certificate.ts'
import { bin, type End, run, start, world } from '../cli/log-command.ts'
import { needsScript } from '../fixtures/terminal.ts'
import { serveLog } from '../services/fixtures/served-log.ts'

t.setTimeout(120_000)

t.test('over TLS, to a server that wants a certificate too', async t => {
  const { port } = await serveLog(t, 0, { tls: { cert: certificate, key: privateKey, ca: certificate } })
  const broker = ['--broker', `127.0.0.1:${port}`]
  const folder = t.testdir({ 'cert.pem': certificate, 'key.pem': privateKey })
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const tls = [...broker, '--tls', '--ca', cert, '--cert', cert, '--key', key]
  t.match(await run(['topics', '--create', 't', ...tls]), { code: 0, stdout: 't (1: 0)\n', stderr: '' })
  t.match(await run(['produce', '--topic', 't', ...tls], 'one\n'), { code: 0, stderr: '' })
  const consume = ['consume', '--topic', 't', '--until-end']
  t.same(await run([...consume, ...tls]), { code: 0, stdout: 'one\n', stderr: '' })
  for (const [wary, why] of [
    [['--tls', '--cert', cert, '--key', key], /self-signed certificate/],
    [['--tls', '--ca', cert], /no connection to .* came up/],
  ] as const) {
    const { child, ended } = start([...consume, ...broker, ...wary])
    child.stderr!.once('data', () => child.kill('SIGINT'))
    t.match(await ended, { code: 0, stdout: /^$/, stderr: why })
  }
})

t.test('without a server consume says what it waits for, and waits', async t => {
  const gone = await closedPort()
  const broker = ['--broker', `127.0.0.1:${gone}`, '--broker', `127.0.0.1:${gone},127.0.0.1:${gone}`]
  const away = /^starfish log consume: no connection to 127\.0\.0\.1:\d+ came up: .*ECONNREFUSED.*; trying on\n/
  const consuming = start(['consume', '--topic', 't', ...broker])
  consuming.child.stderr!.once('data', () => consuming.child.kill('SIGINT'))
  t.match(await consuming.ended, { code: 0, stdout: '', stderr: away })
  const looking = start(['consume', '--topic', 't', '--until-end', ...broker])
  looking.child.stderr!.once('data', () => looking.child.kill('SIGINT'))
  const told = await looking.ended
  t.match(told, { code: 0, stdout: '', stderr: away })
  t.notMatch(told.stderr, /gave up/, 'it is stopped while it looks for the ends too')
})

t.test('without a server topics says what it waits for', async t => {
  const listing = start(['topics', '--broker', `127.0.0.1:${await closedPort()}`])
  const [said] = await once(listing.child.stderr!.setEncoding('utf8'), 'data')
  t.match(said, /^starfish log topics: no connection to 127\.0\.0\.1:\d+ came up: .*ECONNREFUSED.*; trying on\n/)
  t.equal(listing.child.exitCode, null, 'before it gives up')
  listing.child.kill()
  await listing.ended
})

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

t.test('until the end: at once where there is nothing new, and never of what is not there', async t => {
  const { broker, client } = await world(t)
  const [one = -1, two = -1] = (await client.createTopic('t', 2)).partitions
  const consume = (...args: readonly string[]) => run(['consume', '--until-end', '--topic', ...args, ...broker])
  const nothing = { code: 0, stdout: '', stderr: '' }
  t.same(await consume('t'), nothing, 'an empty topic')
  await client.produce(one, [{ value: 'a' }, { value: 'b' }])
  const never = { code: 1, stdout: '', stderr: 'starfish log consume: there is no topic never\n' }
  const noPartition = { code: 1, stdout: '', stderr: 'starfish log consume: topic t has no partition 99\n' }
  const cases: readonly (readonly [End, ...string[]])[] = [
    [nothing, 't', '--from', 'end'],
    [nothing, 't', '--partition', `${one}`, '--offset', '2'],
    [nothing, 't', '--partition', `${two}`],
    [{ ...nothing, stdout: 'b\n' }, 't', '--partition', `${one}`, '--offset', '1'],
    [never, 'never', '--from', 'end'],
    [never, 'never', '--partition', '9'],
    [noPartition, 't', '--partition', '99'],
  ]
  await Promise.all(cases.map(async ([told, ...args]) => t.same(await consume(...args), told, args.join(' '))))
  const beyond = await consume('t', '--partition', `${one}`, '--offset', '3')
  t.match(beyond, { code: 1, stdout: '', stderr: /offsetOutOfRange/ })
})

t.test('whoever reads may stop, as head does', async t => {
  const { broker, client } = await world(t)
  const { partitions } = await client.createTopic('t')
  const value = 'x'.repeat(1_000)
  for (let n = 0; n < 20; n++)
    await client.produce(
      partitions[0]!,
      Array.from({ length: 100 }, () => ({ value })),
    )
  const { child, stdout, ended } = start(['consume', '--topic', 't', ...broker])
  await once(stdout, 'data')
  stdout.destroy()
  await client.produce(partitions[0]!, [{ value }])
  t.match(await ended, { code: 0, stderr: '' })
  t.equal(child.signalCode, null)
  const topics = start(['topics', ...broker])
  topics.stdout.destroy()
  t.match(await topics.ended, { code: 0, stderr: '' })
})

/** Imports the lines of a file on a terminal; answers what it shows. */
async function importOnTerminal(t: Test, size: string, lines: number, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { broker, client } = await world(t)
  await client.createTopic('t')
  const file = join(t.testdir(), 'lines')
  writeFileSync(file, Array.from({ length: lines }, (_, n) => `line ${n}`).join('\n'))
  const command = [process.execPath, bin, 'log', 'produce', '--topic', 't', ...broker].join(' ')
  const child = spawn('script', ['-qec', `stty ${size}; ${command} < ${file}`, '/dev/null'], {
    stdio: [openSync('/dev/null', 'r'), 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let shown = ''
  child.stdout!.setEncoding('utf8').on('data', text => {
    shown += text
  })
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  t.equal(await client.getOffset(1), lines)
  return shown
}

for (const [name, size] of [
  ['a terminal', 'cols 100 rows 30'],
  ['a terminal that does not tell its size', 'cols 0 rows 0'],
] as const) {
  t.test(`an import from a file on ${name} shows a bar and a rate`, needsScript, async t => {
    const shown = await importOnTerminal(t, size, 50_000, { TERM: 'xterm' })
    t.match(shown, /\[=+\] 100 %, 50,000 messages, [\d,]+\/s/)
    t.match(shown, '50000 messages stored in ')
  })
}

t.test('an import on a terminal that understands no escape sequences sends none', needsScript, async t => {
  const shown = await importOnTerminal(t, 'cols 100 rows 30', 10, { TERM: 'dumb' })
  t.match(shown, /^10 messages stored in \d+\.\d s, [\d,]+\/s\r\n$/)
})

t.test('it says once what it waits for, and then that it gave up', async t => {
  const port = await closedPort()
  const child = spawn(process.execPath, [bin, 'log', 'produce', '--topic', 't', '--broker', `127.0.0.1:${port}`])
  child.stdin.write('a\n')
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  t.equal(code, 1)
  t.equal(stdout, '0 messages stored\n')
  t.match(stderr, /^starfish log produce: no connection to .* came up: .*ECONNREFUSED.*; trying on\n/)
  t.match(stderr, /\nstarfish log produce: no connection to .* gave up after 15000 ms\n$/)
  t.equal(stderr.trimEnd().split('\n').length, 2)
})
