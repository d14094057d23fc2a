/**
 * In child processes: a worker that spins or is out of memory may take its process along.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Fault } from '../../src/chaos/index.ts'

const script = fileURLToPath(new URL('./fixtures/doomed.ts', import.meta.url))

async function storyOf(fault: Fault) {
  const args = [script, JSON.stringify(fault)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  return JSON.parse(stdout)
}

const livedOn = { victim: [], other: ['kept'] }

t.test('a shard that spins too long is replaced by the watchdog, and the stall says so', async t => {
  const reason = { type: 'stalled', diagnosis: 'spinning' }
  t.match(await storyOf({ kind: 'stall', shard: 0, forMs: 60_000 }), { over: reason, ...livedOn })
})

t.test('so is the shard of an actor that spins', async t => {
  const reason = { type: 'stalled', diagnosis: 'spinning' }
  t.match(await storyOf({ kind: 'stall', target: 'victim', forMs: 60_000 }), { over: reason, ...livedOn })
})

t.test('a shard that runs out of memory is replaced', async t => {
  const story = storyOf({ kind: 'crash', shard: 0, how: 'outOfMemory' })
  t.match(await story, { end: { type: 'outOfMemory' }, ...livedOn })
})

t.test('an actor that runs out of memory costs its shard', async t => {
  const story = storyOf({ kind: 'crash', target: 'victim', how: 'outOfMemory' })
  t.match(await story, { end: { type: 'outOfMemory' }, ...livedOn })
})
