/** Where a node and its workers keep what V8 has compiled. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import t, { type Test } from 'tap'

const keeper = new URL('../../src/cli/compile-cache.ts', import.meta.url).href

/** A process of a user whose folder for caches is `folder`: where it and a worker of it say that they keep what they compile. */
function run(folder: string, environment: Record<string, string> = {}): string[] {
  const { NODE_COMPILE_CACHE: _, ...own } = process.env
  const env = { ...own, XDG_CACHE_HOME: folder, ...environment }
  const program = `
import { getCompileCacheDir } from 'node:module'
import { Worker } from 'node:worker_threads'
import { keepCompiled } from ${JSON.stringify(keeper)}
keepCompiled()
console.log(getCompileCacheDir())
new Worker("import { getCompileCacheDir } from 'node:module'; console.log(getCompileCacheDir())", { eval: true })`
  const args = ['--input-type=module', '--eval', program]
  const output = execFileSync(process.execPath, args, { env, encoding: 'utf8' })
  return output.trim().split('\n')
}

const isWithin = (t: Test, folder: string, places: readonly string[]) => {
  t.equal(places.length, 2)
  for (const place of places) t.ok(place.startsWith(folder + sep), `${place} is in ${folder}`)
}

t.test('a process and its workers keep what they compile in one folder, which is made for it', async t => {
  const folder = join(t.testdir(), 'new')
  const places = run(folder)
  isWithin(t, join(folder, 'starfish'), places)
  t.equal(places[0], places[1], 'what one has compiled the other reads')
  t.not(readdirSync(places[0]!).length, 0)
})

t.test('a user whose caches have no folder has it at home', async t => {
  const home = t.testdir()
  isWithin(t, join(home, '.cache', 'starfish'), run('', { HOME: home }))
})

t.test('the folder that the environment names goes before', async t => {
  const folder = t.testdir({ named: {} })
  const named = join(folder, 'named')
  isWithin(t, named, run(join(folder, 'other'), { NODE_COMPILE_CACHE: named }))
  t.same(readdirSync(folder), ['named'])
})

t.test('without a folder that can be made all goes on', async t => {
  const folder = t.testdir({ file: '' })
  t.same(run(join(folder, 'file')), ['undefined', 'undefined'])
})
