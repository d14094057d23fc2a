/** `starfish log`, the real command, and a real log server; what takes longer is in test/acceptance/log-command. */
import { once } from 'node:events'
import t from 'tap'
import { logForms, logHelp } from '../../src/cli/log/log-options.ts'
import { helpOnLog, runLog } from '../../src/cli/log/run-log.ts'
import { bin, run, start, world } from './log-command.ts'

t.setTimeout(240_000)

t.test('help', async t => {
  t.same(await run(['--help']), { code: 0, stdout: logHelp.log, stderr: '' })
  t.same(await run(['topics', '--help']), { code: 0, stdout: logHelp.topics, stderr: '' })
  for (const [verb, forms] of Object.entries(logForms)) {
    const told = helpOnLog(verb)
    t.match(told, new RegExp(`^Usage: starfish log ${verb}`))
    for (const option of Object.keys(forms)) t.match(told, ` --${option}`)
  }
})

t.test('what is called wrongly is told in one line, with code 1', async t => {
  const calls: readonly (readonly [string[], RegExp])[] = [
    [[], /^starfish log: what to do: produce, consume, topics; see starfish log --help\n$/],
    [['produce'], /^starfish log produce: --topic is missing; see starfish log produce --help\n$/],
    [['topics', '--tls', '--ca', '/dev/null/x'], /^starfish log topics: --ca cannot be used: ENOTDIR.*\n$/],
    [['topics', '--tls', '--ca', bin], /^starfish log topics: --ca cannot be used: .*\n$/],
    [['topics', '--tls', '--cert', bin, '--key', bin], /^starfish log topics: --cert with --key cannot be used: .*\n$/],
  ]
  for (const [args, stderr] of calls) t.match(await run(args), { code: 1, stdout: '', stderr })
  const refused: readonly (readonly [string, RegExp])[] = [
    ['prduce', /did you mean produce\?/],
    ['help prduce', /did you mean produce\?/],
    ['produce --topic t --acknowledgement maybe', /takes one of committed, received, flushed, not "maybe"/],
    ['consume --topic t --offset 3', /--offset needs --partition/],
    ['consume --topic t --from 3', /--from takes start or end, not "3"/],
    ['consume --topic t --offset 3 --partition 1 --from end', /--offset stands for --from: give one/],
    ['topics --broker 127.0.0.1:1,nowhere', /--broker takes the address of a server, .* not "nowhere";/],
    ['topics --create=', /--create takes the name of a topic, not ""/],
    ['topics --delete=', /--delete takes the name of a topic, not ""/],
    ['topics --ca x', /--ca needs --tls/],
    ['topics --cert x --key x', /--cert needs --tls/],
    ['topics --tls --cert x', /--cert needs --key/],
    ['topics --tls --key x', /--key needs --cert/],
  ]
  for (const [call, message] of refused) await t.rejects(runLog(call.split(' ')), { name: 'UsageError', message }, call)
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
