/** Without descriptors nothing is accepted until there are some again; that is told once each, and the process goes on serving. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createDescriptorWatch } from '../../../src/actors/acceptor/descriptor-watch.ts'
import { connectionsFor, descriptorLimit, descriptorsExhausted } from '../../../src/actors/acceptor/descriptors.ts'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { encodeEventRequest } from '../../../src/messages/index.ts'
import { connectClient } from './event-client.ts'
import { createTestRuntime } from './test-runtime.ts'

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

t.test('a process without descriptors refuses, says so once, serves those it has, and recovers', async t => {
  if (process.platform !== 'linux') return
  const script = fileURLToPath(new URL('small-process.ts', import.meta.url))
  const child = spawn('sh', ['-c', `ulimit -n 48; exec "${process.execPath}" "${script}"`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => String((await lines.next()).value)
  const port = Number((await next()).split(' ')[1])
  const hello = encodeEventRequest({ sessionId: 7 })
  const first = await connectClient(port)
  const crowd = await Promise.all(Array.from({ length: 80 }, () => connectClient(port)))
  t.equal(await next(), 'log error')
  first.write(hello)
  t.equal((await first.response()).status, 0)
  for (const { socket } of crowd) socket.destroy()
  t.equal(await next(), 'log warn')
  const last = await connectClient(port)
  last.write(hello)
  t.equal((await last.response()).status, 0)
  for (const { socket } of [first, last]) socket.destroy()
})
