/** An address that is taken, or cannot be had, is found out before shards share it silently. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { probeAddress } from '../../../src/actors/acceptor/probe.ts'
import { listenError } from '../../../src/actors/serving/listen-error.ts'
import { findPortOwner } from '../../../src/actors/serving/port-owner.ts'

const listening = (t: Test, reusePort: boolean): Promise<number> =>
  new Promise(resolve => {
    const server: Server = createServer().listen({ host: '127.0.0.1', port: 0, reusePort }, () => {
      resolve((server.address() as { port: number }).port)
    })
    t.teardown(() => server.close())
  })

t.test('a port in use is refused, also when its owner would share it', async t => {
  for (const reusePort of [false, true]) {
    const port = await listening(t, reusePort)
    await t.rejects(probeAddress('127.0.0.1', port), {
      code: 'PORT_IN_USE',
      message: `127.0.0.1:${port} is in use by `,
      details: { host: '127.0.0.1', port },
    })
  }
})

t.test('who has the port is told, as far as the system knows', { skip: !existsSync('/proc/net/tcp6') }, async t => {
  for (const host of ['127.0.0.1', '::1']) {
    const script = `require('node:net').createServer().listen(0, '${host}', function () { console.log(this.address().port) })`
    const other = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => other.kill())
    const port = Number(await once(other.stdout, 'data'))
    const { pid } = other
    await t.rejects(probeAddress(host, port), {
      message: `in use by process ${pid} (node --eval `,
      details: { pid },
    })
  }
  const port = await listening(t, false)
  await t.rejects(probeAddress('127.0.0.1', port), { message: 'by this process', details: { pid: process.pid } })
  t.equal(findPortOwner(await probeAddress('127.0.0.1', 0), 'tcp'), undefined)
})

t.test('a free port is named, and free again afterwards', async t => {
  const port = await probeAddress('127.0.0.1', 0)
  t.ok(port > 0)
  t.equal(await probeAddress('127.0.0.1', port), port)
})

t.test('other reasons are told in the words of the system', async t => {
  await t.rejects(probeAddress('192.0.2.1', 0), {
    code: 'LISTEN_FAILED',
    message: 'cannot listen on 192.0.2.1:0: this machine has no such address (EADDRNOTAVAIL)',
    details: { reason: 'EADDRNOTAVAIL' },
  })
  const denied = listenError(Object.assign(new Error('x'), { code: 'EACCES' }), '::1', 80)
  t.match(denied, { code: 'LISTEN_FAILED', message: 'cannot listen on [::1]:80: the system forbids it (EACCES)' })
})
