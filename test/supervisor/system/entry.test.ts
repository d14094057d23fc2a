import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'

const program = fileURLToPath(new URL('../fixtures/entry/program.ts', import.meta.url))

t.test('a definition in the entry module is refused by shards, however the program was named', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'starfish-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const link = join(folder, 'linked.ts')
  symlinkSync(program, link)
  for (const path of [program, link]) {
    const [sharded, local] = execFileSync(process.execPath, [path], { encoding: 'utf8' }).trim().split('\n')
    t.match(sharded, /^DEFINITION_IN_ENTRY .*here is in the entry module .*move it to a module of its own/)
    t.equal(local, 'spawned', 'without shards it does no harm')
  }
})

t.test('a program and its actors may be CommonJS', async t => {
  const commonjs = fileURLToPath(new URL('../fixtures/commonjs/program.cjs', import.meta.url))
  // Without what tap hooks into programs that its tests start: it would read our modules as CommonJS too.
  const plain = ['-u', 'NODE_OPTIONS', process.execPath, '--conditions=starfish-source', commonjs]
  const out = execFileSync('env', plain, { encoding: 'utf8' })
  t.equal(out.trim(), 'said on a shard')
})

t.test("a worker of the user's own may have a system without shards, and no other", async t => {
  const worker = new Worker(new URL('../fixtures/entry/worker.ts', import.meta.url))
  const told: unknown[] = []
  worker.on('message', outcome => told.push(outcome))
  await new Promise(resolve => worker.on('exit', resolve))
  t.same(told, ['SHARD_IN_WORKER', 'created'])
})
