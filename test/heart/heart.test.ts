/**
 * Real processes. That none is left behind is seen by the pipe they all inherit: it closes when the last one is gone.
 */
import t, { type Test } from 'tap'
import { type Command, orderNode, startCommand } from '../fixtures/heart/command.ts'

function up(t: Test, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Command {
  const command = startCommand(['up', ...args], env)
  t.teardown(() => command.process.kill('SIGKILL'))
  return command
}

t.test('kill -9 of the node brings it back, again and again', async t => {
  const command = up(t)
  const pids = new Set<number>()
  for (let round = 0; round < 4; round++) {
    const { pid } = await command.until('ready')
    pids.add(pid)
    process.kill(pid, 'SIGKILL')
  }
  pids.add((await command.until('ready')).pid)
  t.equal(pids.size, 5)
  command.process.kill('SIGTERM')
  t.same(await command.exit, { code: 0, signal: null })
  await command.until('gone')
  t.match(await command.stderr, /"signal":"SIGKILL".*"msg":"the node ended and is started again"/)
})

t.test('a node whose main thread is stuck is killed and replaced', async t => {
  const command = up(t, { FAKE_STUCK_AFTER_MS: '500' })
  const first = await command.until('ready')
  await orderNode(first, 'spin')
  const second = await command.until('ready')
  t.not(second.pid, first.pid)
  command.process.kill('SIGTERM')
  await command.until('gone')
  t.match(await command.stderr, /"diagnosis":"spinning".*"msg":"the node does not answer, it is killed"/)
})

t.test('a node that beats is left alone for longer than the limit', async t => {
  const command = up(t, { FAKE_STUCK_AFTER_MS: '300', FAKE_LIVE_MS: '1000' })
  const { pid } = await command.until('ready')
  t.equal((await command.until('alive')).pid, pid)
})

t.test('a node that is stuck while it starts is killed and started again', async t => {
  const command = up(t, { FAKE_STUCK_AFTER_MS: '300', FAKE_START: 'spin' })
  const first = await command.until('starting')
  t.not((await command.until('starting')).pid, first.pid)
})

t.test('a node that stops (SIGSTOP) is killed and replaced', async t => {
  const command = up(t, { FAKE_STUCK_AFTER_MS: '500' })
  const first = await command.until('ready')
  process.kill(first.pid, 'SIGSTOP')
  t.not((await command.until('ready')).pid, first.pid)
})

t.test('a parent that is killed takes the node along, stuck or not, ready or not', async t => {
  const serving = up(t)
  await serving.until('ready')
  serving.process.kill('SIGKILL')
  await serving.until('gone')
  t.notOk(serving.facts.some(fact => fact.is === 'stopping'))

  const stuck = up(t)
  await orderNode(await stuck.until('ready'), 'spin')
  stuck.process.kill('SIGKILL')
  await stuck.until('gone')

  const starting = up(t, { FAKE_START: 'spin' })
  await starting.until('starting')
  starting.process.kill('SIGKILL')
  await starting.until('gone')
})

t.test('a signal reaches the node once, and the node ends with code 0', async t => {
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    const command = up(t)
    await command.until('ready')
    command.process.kill(signal)
    t.same(await command.exit, { code: 0, signal: null })
    await command.until('gone')
    t.same(
      command.facts.filter(fact => fact.is === 'told').map(fact => fact.signal),
      [signal],
    )
    t.equal(command.facts.filter(fact => fact.is === 'stopping').length, 1)
  }
})

t.test('SIGINT: the first stops the node, the second ends it at once', async t => {
  const clean = up(t)
  await clean.until('ready')
  clean.process.kill('SIGINT')
  t.same(await clean.exit, { code: 0, signal: null })

  const impatient = up(t, { FAKE_STOP: 'hang' })
  await impatient.until('ready')
  impatient.process.kill('SIGINT')
  await impatient.until('stopping')
  impatient.process.kill('SIGINT')
  t.same(await impatient.exit, { code: 130, signal: null })
  await impatient.until('gone')
})

t.test('a node that does not end when it is asked to is killed, with its parent and without', async t => {
  for (const args of [[], ['--no-heart']]) {
    const command = up(t, { FAKE_STOP: 'hang', FAKE_STOP_LIMIT_MS: '100' }, args)
    await command.until('ready')
    command.process.kill('SIGTERM')
    t.same(await command.exit, args.length === 0 ? { code: 137, signal: null } : { code: null, signal: 'SIGKILL' })
    await command.until('gone')
    t.match(await command.stderr, /"stopLimitMs":100,"msg":"the node does not end, it is killed"/)
  }
})

t.test('a node that is asked to stop while it starts does so once it has started, and says nothing', async t => {
  const command = up(t, { FAKE_START: 'stop' })
  t.same(await command.exit, { code: 0, signal: null })
  t.equal(command.facts.filter(fact => fact.is === 'stopping').length, 1)
  t.notMatch(await command.stderr, 'the node is up')
})

t.test('a node that ignores the second SIGINT is killed', async t => {
  const command = up(t, { FAKE_STOP: 'never' })
  await command.until('ready')
  command.process.kill('SIGINT')
  await command.until('stopping')
  command.process.kill('SIGINT')
  t.same(await command.exit, { code: 137, signal: null })
  await command.until('gone')
})

t.test('a node that is stuck when it is asked to stop is killed, and not replaced', async t => {
  const command = up(t, { FAKE_STUCK_AFTER_MS: '500' })
  await orderNode(await command.until('ready'), 'spin')
  command.process.kill('SIGTERM')
  t.same(await command.exit, { code: 137, signal: null })
  await command.until('gone')
  t.equal(command.facts.filter(fact => fact.is === 'starting').length, 1)
})

t.test('a node that fails before it is ready is not restarted', async t => {
  const command = up(t, { FAKE_START: 'throw' })
  t.same(await command.exit, { code: 1, signal: null })
  await command.until('gone')
  t.equal(command.facts.filter(fact => fact.is === 'starting').length, 1)
  t.match(await command.stderr, /"code":"PORT_IN_USE".*"msg":"the node failed"/)
})

t.test('a node that ends with code 0 is not restarted', async t => {
  const command = up(t)
  await orderNode(await command.until('ready'), 'finish')
  t.same(await command.exit, { code: 0, signal: null })
  await command.until('gone')
})

t.test('a node that fails once it was ready is restarted', async t => {
  const command = up(t)
  for (const order of ['exit', 'throw', 'fail'] as const) await orderNode(await command.until('ready'), order)
  await command.until('ready')
  command.process.kill('SIGTERM')
  await command.until('gone')
  const stderr = await command.stderr
  t.match(stderr, /"code":7.*"msg":"the node ended and is started again"/)
  t.match(stderr, /thrown.*"msg":"the node failed"/)
  t.match(stderr, /cannot go on.*"msg":"the node failed"/)
})

t.test('a heart that gives up ends with the code of the last node', async t => {
  const command = up(t, { FAKE_RESTARTS_MAX: '1' })
  await orderNode(await command.until('ready'), 'exit')
  await orderNode(await command.until('ready'), 'exit')
  t.same(await command.exit, { code: 7, signal: null })
  t.match(await command.stderr, /"msg":"the node ended too often, the heart gives up"/)
})

t.test('--no-heart runs the node in the process itself', async t => {
  const command = up(t, {}, ['--no-heart'])
  t.equal((await command.until('ready')).pid, command.process.pid)
  command.process.kill('SIGINT')
  t.same(await command.exit, { code: 0, signal: null })

  const impatient = up(t, { FAKE_STOP: 'hang' }, ['--no-heart'])
  await impatient.until('ready')
  impatient.process.kill('SIGINT')
  await impatient.until('stopping')
  impatient.process.kill('SIGINT')
  t.same(await impatient.exit, { code: null, signal: 'SIGINT' }, 'a shell says 130')
})

t.test('options reach the node, and the mark of the heart goes no further', async t => {
  const command = up(t, {}, ['--port', '0', '--host', '::1', '--shards', '3'])
  t.match(await command.until('starting'), { host: '::1', port: 0, shards: 3, marked: false })
})
