/** `starfish log produce` where no server is: it says so, and gives up when its time is over. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

t.setTimeout(60_000)

const bin = fileURLToPath(new URL('../../src/bin.js', import.meta.url))

t.test('it says once what it waits for, and then that it gave up', async t => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  const child = spawn(process.execPath, [bin, 'log', 'produce', '--topic', 't', '--broker', `127.0.0.1:${port}`])
  child.stdin.write('a\n')
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  t.equal(code, 1)
  t.equal(stdout, '0 messages stored\n')
  t.match(stderr, /^starfish log produce: no connection to .* came up: .*ECONNREFUSED.*; trying on\n/)
  t.match(stderr, /\nstarfish log produce: no connection to .* gave up after 15000 ms\n$/)
  t.equal(stderr.trimEnd().split('\n').length, 2)
})
