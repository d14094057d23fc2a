/**
 * In child processes: a worker that reaches V8's limit may take its process along.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const script = fileURLToPath(new URL('../../fixtures/host/leaking-node.ts', import.meta.url))

async function endOf(heapMarkRatio: number, what: 'leak' | 'hoard'): Promise<{ stdout: string; aborted: boolean }> {
  const args = [script, String(heapMarkRatio), what]
  return promisify(execFile)(process.execPath, args, { timeout: 30_000 }).then(
    ({ stdout }) => ({ stdout, aborted: false }),
    (error: { signal?: string; stdout: string }) => ({ stdout: error.stdout, aborted: error.signal === 'SIGABRT' }),
  )
}

t.test('a worker that leaks ends itself at the soft mark, before the limit', async t => {
  const { stdout } = await endOf(0.6, 'leak')
  const { reason, zombie } = JSON.parse(stdout)
  t.equal(reason.type, 'outOfMemory')
  t.match(reason.detail, /^soft heap mark: \d+ MiB live of 64 MiB, mark at 60 %$/)
  t.equal(zombie, false)
})

t.test('a worker that fills its heap in one go is ended by V8, and told as out of memory', async t => {
  const { stdout, aborted } = await endOf(0.85, 'hoard')
  if (aborted) return t.comment('V8 aborted the whole process, as it does now and then')
  t.match(JSON.parse(stdout).reason, { type: 'outOfMemory', detail: /memory limit/ })
})
