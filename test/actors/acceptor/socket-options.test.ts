/** Accepted sockets: no Nagle, and keep-alive probes as configured. */
import { execFile } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startEventShard } from '../connection/event-shard.ts'

const hasFfi = process.platform === 'linux' && process.allowedNodeEnvironmentFlags.has('--experimental-ffi')

t.test('the kernel has them', { skip: !hasFfi && 'needs Linux and node:ffi' }, async t => {
  const program = fileURLToPath(new URL('socket-options-process.ts', import.meta.url))
  const flags = ['--experimental-ffi', '--no-warnings']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program], { timeout: 60_000 })
  t.same(JSON.parse(stdout), { keepAlive: 1, noDelay: 1, idleSeconds: 60, intervalSeconds: 10, probes: 5 })
})

t.test('Node is asked for them', async t => {
  const calls = t.capture(Socket.prototype, 'setKeepAlive', Socket.prototype.setKeepAlive)
  const shard = await startEventShard(t)
  await shard.connect()
  await shard.states('wantReadHeader.idle')
  t.match(calls(), [{ args: [true, 60_000, 10_000, 5] }])
})
