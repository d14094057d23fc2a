/** A node on a folder that another one has open: it waits a while, in case that one is about to end, and then says so. */
import { execFile } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { newFolder } from '../protocols/message-log/sqlite-world.ts'

t.setTimeout(120_000)

const bin = fileURLToPath(new URL('../../src/bin.js', import.meta.url))

const data = newFolder(t)
const up = [bin, 'up', '--port', '0', '--log-port', '0', '--shards', '1', '--data', data]
const node = execFile(process.execPath, [...up, '--no-heart'])
t.teardown(() => node.kill('SIGKILL'))
for await (const line of createInterface(node.stderr!)) if (JSON.parse(line).msg === 'the node is up') break

for (const heart of [[], ['--no-heart']]) {
  t.test(`a second node on a folder says so in one line, with code 1: ${['up', ...heart].join(' ')}`, async t => {
    const ended = await new Promise(resolve => {
      const child = execFile(process.execPath, [...up, ...heart], (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      )
    })
    const stderr = `starfish: another node has the folder ${data} open: stop it, or choose another folder with --data\n`
    t.same(ended, { code: 1, stdout: '', stderr })
  })
}
