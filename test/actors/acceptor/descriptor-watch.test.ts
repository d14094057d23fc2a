/** Without descriptors nothing is accepted until there are some again; that is told once each, and the process goes on serving. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createDescriptorWatch } from '../../../src/actors/acceptor/descriptor-watch.ts'
import { connectionsFor, descriptorLimit, descriptorsExhausted } from '../../../src/actors/acceptor/descriptors.ts'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { encodeEventRequest } from '../../../src/messages/index.ts'
import { connectClient } from './event-client.ts'
import { createTestRuntime } from './test-runtime.ts'

const hello = encodeEventRequest({ sessionId: 7 })
const noLimits = { skip: process.platform !== 'linux' && 'needs ulimit and Linux' }

t.test('it looks within a second of a connection, and goes on looking until it is over', async t => {
  const clock = createVirtualClock()
  const { log, lines } = createTestRuntime(clock, 0, () => {})
  const done: string[] = []
  let free = 1
  let mayResume = false
  const pausable = {
    pause: () => void done.push('pause'),
    async resume() {
      done.push('resume')
      if (!mayResume) throw new Error('no descriptor for a listening socket')
    },
  }
  const watch = createDescriptorWatch(clock, log, pausable, spare => free < spare)
  await clock.advance(5_000)
  t.equal(clock.pending, 0, 'it does not look while nothing comes')
  watch.accepted()
  watch.accepted()
  t.equal(clock.pending, 1)
  free = 0
  await clock.advance(1_000)
  t.same(done, ['pause'])
  free = 15
  await clock.advance(3_000)
  t.same(done, ['pause'], 'one descriptor is not enough to begin again')
  free = 16
  await clock.advance(1_000)
  t.same(done, ['pause', 'resume'])
  t.same(
    lines.map(({ level }) => level),
    ['error'],
    'it could not listen',
  )
  mayResume = true
  await clock.advance(1_000)
  t.same(done, ['pause', 'resume', 'resume'])
  t.same(
    lines.map(({ level }) => level),
    ['error', 'warn'],
  )
  t.equal(clock.pending, 0)
  watch.accepted()
  watch.stop()
  t.equal(clock.pending, 0)
})

t.test('the limit of the process, and what of it is for connections', async t => {
  t.equal(descriptorsExhausted(1), false)
  t.ok(descriptorLimit() >= 256)
  t.same([20_000, 1_024, 1_000, 48, 1].map(connectionsFor), [19_488, 512, 500, 24, 1])
})

/** A process with so few descriptors; the lines that it prints, its port first. */
function spawnSmall(t: Test, descriptors: number, ...args: readonly string[]): AsyncIterator<string> {
  const script = fileURLToPath(new URL('small-process.ts', import.meta.url))
  const command = ['ulimit -n', descriptors, '; exec', process.execPath, script, ...args].join(' ')
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
}

async function portOf(lines: AsyncIterator<string>): Promise<number> {
  return Number(String((await lines.next()).value).split(' ')[1])
}

t.test('a process without descriptors refuses, says so once, serves those it has, and recovers', noLimits, async t => {
  const lines = spawnSmall(t, 48)
  const port = await portOf(lines)
  const first = await connectClient(port)
  const crowd = await Promise.all(Array.from({ length: 80 }, () => connectClient(port)))
  t.equal((await lines.next()).value, 'log error')
  const refused = await connectClient(port)
  t.equal(await refused.closed(), 'reset', 'by the system: nobody listens')
  first.write(hello)
  t.equal((await first.response()).status, 0)
  for (const { socket } of crowd) socket.destroy()
  t.equal((await lines.next()).value, 'log warn')
  const last = await connectClient(port)
  last.write(hello)
  t.equal((await last.response()).status, 0)
  for (const { socket } of [first, last]) socket.destroy()
})

t.test('by default no more connections are taken than there are descriptors for', noLimits, async t => {
  const port = await portOf(spawnSmall(t, 96, 'byDefault'))
  const crowd = await Promise.all(Array.from({ length: 100 }, () => connectClient(port)))
  for (const client of crowd) client.write(hello)
  const statuses = await Promise.all(
    crowd.map(client =>
      client.response().then(
        ({ status }) => status,
        () => 'cut off',
      ),
    ),
  )
  t.equal(statuses.filter(status => status === 0).length, 48)
  for (const { socket } of crowd) socket.destroy()
})
