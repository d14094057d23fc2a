/** `starfish log`, the real command, and a real log server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { logForms, logHelp } from '../../src/cli/log/log-options.ts'
import { createLogClient, type LogClient } from '../../src/index.ts'
import { certificate, privateKey } from '../actors/acceptor/test-certificate.ts'
import { needsScript } from '../fixtures/terminal.ts'
import { serveLog } from '../services/fixtures/served-log.ts'

t.setTimeout(240_000)

const bin = fileURLToPath(new URL('../../src/bin.js', import.meta.url))

interface End {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command while it runs. */
function start(args: readonly string[], stdin: 'pipe' | number = 'pipe') {
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
function run(args: readonly string[], input = ''): Promise<End> {
  const { child, ended } = start(args)
  child.stdin!.on('error', () => {})
  child.stdin!.end(input)
  return ended
}

async function world(t: Test): Promise<{ broker: readonly string[]; client: LogClient }> {
  const { port } = await serveLog(t, 0)
  const client = createLogClient({ brokers: { port } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return { broker: ['--broker', `127.0.0.1:${port}`], client }
}

t.test('help, and what is called wrongly', async t => {
  t.same(await run(['--help']), { code: 0, stdout: logHelp.log, stderr: '' })
  t.same(await run(['help']), { code: 0, stdout: logHelp.log, stderr: '' })
  t.same(await run(['help', 'topics']), { code: 0, stdout: logHelp.topics, stderr: '' })
  for (const [verb, forms] of Object.entries(logForms)) {
    const told = await run([verb, '--help'])
    t.match(told, { code: 0, stdout: new RegExp(`^Usage: starfish log ${verb}`), stderr: '' })
    for (const option of Object.keys(forms)) t.match(told.stdout, ` --${option}`)
  }
  const calls: readonly (readonly [string[], RegExp])[] = [
    [[], /^starfish log: what to do: produce, consume, topics; see starfish log --help\n$/],
    [['prduce'], /did you mean produce\?/],
    [['produce'], /^starfish log produce: --topic is missing; see starfish log produce --help\n$/],
    [
      ['produce', '--topic', 't', '--acknowledgement', 'maybe'],
      /takes one of committed, received, flushed, not "maybe"/,
    ],
    [['consume', '--topic', 't', '--offset', '3'], /--offset needs --partition/],
    [['consume', '--topic', 't', '--from', '3'], /--from takes start or end, not "3"/],
    [
      ['consume', '--topic', 't', '--offset', '3', '--partition', '1', '--from', 'end'],
      /--offset stands for --from: give one/,
    ],
    [
      ['topics', '--broker', '127.0.0.1:1,nowhere'],
      /^starfish log topics: --broker takes the address of a server, host:port, or several, not "nowhere";/,
    ],
    [['topics', '--create', ''], /--create takes the name of a topic, not ""/],
    [['topics', '--delete='], /--delete takes the name of a topic, not ""/],
    [['help', 'prduce'], /did you mean produce\?/],
    [['topics', '--ca', 'x'], /--ca needs --tls/],
    [['topics', '--cert', 'x', '--key', 'x'], /--cert needs --tls/],
    [['topics', '--tls', '--cert', 'x'], /--cert needs --key/],
    [['topics', '--tls', '--key', 'x'], /--key needs --cert/],
    [['topics', '--tls', '--ca', '/dev/null/x'], /^starfish log topics: --ca cannot be used: ENOTDIR.*\n$/],
    [['topics', '--tls', '--ca', bin], /^starfish log topics: --ca cannot be used: .*\n$/],
    [['topics', '--tls', '--cert', bin, '--key', bin], /^starfish log topics: --cert with --key cannot be used: .*\n$/],
  ]
  for (const [args, stderr] of calls) t.match(await run(args), { code: 1, stdout: '', stderr })
})

t.test('topics are created, listed and deleted; lines go in and come out', async t => {
  const { broker, client } = await world(t)
  t.match(await run(['topics', '--create', 'orders', ...broker]), { code: 0, stdout: 'orders (1: 0)\n' })
  const lines = ['one', '', 'three ü', 'four']
  t.match(await run(['produce', '--topic', 'orders', ...broker], lines.join('\n')), {
    code: 0,
    stdout: /^4 messages stored in \d+\.\d s, [\d,]+\/s\n$/,
    stderr: '',
  })
  const all = await run(['consume', '--topic', 'orders', '--until-end', ...broker])
  t.same(all, { code: 0, stdout: `${lines.join('\n')}\n`, stderr: '' })
  const two = ['consume', '--topic', 'orders', '--partition', '1', '--offset', '1', '--count', '2', ...broker]
  t.equal((await run(two)).stdout, '\nthree ü\n')
  const keyed = '{"key":"k","value":"v","timestamp":7}\n{"key":null,"value":null,"partition":1}\n'
  t.equal((await run(['produce', '--topic', 'orders', '--json', ...broker], keyed)).stdout, '{"stored":2}\n')
  await client.produce(1, [{ value: Buffer.from([255]) }])
  const json = await run(['consume', '--topic', 'orders', '--until-end', '--json', ...broker])
  const told = json.stdout.trimEnd().split('\n').slice(4)
  t.match(
    told.map(line => JSON.parse(line)),
    [
      { partition: 1, offset: 4, timestamp: 7, key: 'k', value: 'v' },
      { partition: 1, offset: 5, key: null, value: null },
      { partition: 1, offset: 6, key: null, value: { base64: '/w==' } },
    ],
  )
  t.equal(
    (await run(['topics', '--json', ...broker])).stdout,
    '{"name":"orders","partitions":[{"id":1,"highWaterMark":7}]}\n',
  )
  t.same(await run(['topics', '--delete', 'orders', ...broker]), {
    code: 0,
    stdout: '',
    stderr: 'starfish log topics: there are no topics\n',
  })
  const anew = ['topics', '--create', 'two\nlines', '--delete', 'two\nlines', ...broker]
  t.match(await run(anew), { code: 1, stderr: /topicNotFound/ })
  await run(['topics', '--create', 'two\nlines', ...broker])
  t.same(await run(anew), { code: 0, stdout: 'two\\u000alines (3: 0)\n', stderr: '' })
})

t.test('what fails is told in one line, with code 1', async t => {
  const { broker, client } = await world(t)
  await client.createTopic('t')
  const never = /^starfish log \w+: there is no topic never\n$/
  t.match(await run(['produce', '--topic', 'never', ...broker], 'x\n'), {
    code: 1,
    stdout: '0 messages stored\n',
    stderr: never,
  })
  t.match(await run(['consume', '--topic', 'never', ...broker]), { code: 1, stdout: '', stderr: never })
  t.match(await run(['topics', '--delete', 'never', ...broker]), { code: 1, stderr: /topicNotFound/ })
  const half = await run(['produce', '--topic', 't', '--json', ...broker], '{"value":"x"}\n[]\n')
  const fault = 'starfish log produce: line 2: it is not an object with a value\n'
  t.same(half, { code: 1, stdout: '{"stored":1}\n', stderr: fault })
  t.equal((await run(['produce', '--topic', 't', ...broker], 'x\n')).stdout.split(' in ')[0], '1 message stored')
})

t.test('a line that is none is named by its number, and all before it are stored', async t => {
  const { broker, client } = await world(t)
  await client.createTopic('t')
  const lines = Array.from({ length: 40_000 }, (_, n) => `{"value":"line ${n + 1}"}`)
  lines[30_000] = '{"value":7}'
  const told = await run(['produce', '--topic', 't', '--json', ...broker], `${lines.join('\n')}\n`)
  const fault = 'starfish log produce: line 30001: value is 7, not a text, null or { "base64": text }\n'
  t.same(told, { code: 1, stdout: '{"stored":30000}\n', stderr: fault })
  t.equal(await client.getOffset(1), 30_000)
})

t.test('what was consumed as JSON can be produced again, into another topic', async t => {
  const { broker, client } = await world(t)
  const [one = -1] = (await client.createTopic('one')).partitions
  const [two = -1] = (await client.createTopic('two')).partitions
  await client.produce(one, [
    { key: 'k', value: 'v', timestamp: 7 },
    { key: null, value: null, timestamp: -8 },
    { key: Buffer.from([254]), value: Buffer.from([255, 0]), timestamp: 9 },
  ])
  const copy = await run(['consume', '--topic', 'one', '--json', '--until-end', ...broker])
  const told = await run(['produce', '--topic', 'two', '--json', ...broker], copy.stdout)
  t.same(told, { code: 0, stdout: '{"stored":3}\n', stderr: '' })
  const { messages } = await client.fetch(one, 0, 10_000)
  const expected = messages.map(message => ({ ...message, partition: two }))
  t.same((await client.fetch(two, 0, 10_000)).messages, expected)
})

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

t.test('SIGINT ends a consumer that waits with 0, a producer with 130 and all that it had read', async t => {
  const { broker, client } = await world(t)
  await client.createTopic('t')
  const producing = start(['produce', '--topic', 't', ...broker])
  producing.child.stdin!.write('a\nb\nhalf')
  while ((await client.getOffset(1)) < 2) await new Promise(resolve => setImmediate(resolve))
  producing.child.kill('SIGINT')
  t.match(await producing.ended, { code: 130, stdout: /^2 messages stored in /, stderr: '' })
  const consuming = start(['consume', '--topic', 't', ...broker])
  await once(consuming.stdout, 'data')
  consuming.child.kill('SIGINT')
  t.match(await consuming.ended, { code: 0, stdout: 'a\nb\n', stderr: '' })
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
