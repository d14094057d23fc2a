/**
 * The command as it is published: built, and also called by a Node.js that is too old for it.
 */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { nodeRange } from '../src/check-node.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = t.testdir({ dist: {} })
const bin = join(built, 'dist', 'bin.js')
// As the user's shell would run it: the hooks that the test runner adds to child processes suit neither tsc nor an old Node.
const plain = ['-u', 'NODE_OPTIONS']
execFileSync('env', [...plain, process.execPath, join(root, 'scripts', 'build.ts'), join(built, 'dist')])

const urlOf = (...path: string[]) => pathToFileURL(join(built, 'dist', ...path)).href

function run(
  node: string,
  script: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile('env', [...plain, node, script, ...args], (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

/** A Node.js below the range, among those that the machine has. */
function findOldNode(): { path: string; version: string } | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (!existsSync(path)) continue
    const version = execFileSync('env', [...plain, path, '--version'], { encoding: 'utf8' }).trim()
    if (Number(version.slice(1).split('.')[0]) < 24) return { path, version }
  }
  return undefined
}

t.test('the built command runs', async t => {
  t.match(await run(process.execPath, bin, 'up', '--help'), { code: 0, stdout: /^Usage: starfish up/ })
})

t.test('the built worker host finds its task', async t => {
  const host = urlOf('supervisor', 'shard', 'piscina-host.js')
  const script = `
    import { createPiscinaHost } from ${JSON.stringify(host)}
    const runnerUrl = 'data:text/javascript,export function runShard() {}'
    const host = createPiscinaHost()
    await host.start({ workerIndex: 0, runnerUrl, bootstrap: {}, loadTimeoutMs: 30_000 }).loaded
    console.log('loaded')
    await host.close()`
  t.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }), 'loaded\n')
})

/** What a program prints that finds the URL of a built module in `url`. */
function printed(url: string, program: string): string {
  const script = `const url = ${JSON.stringify(url)}\n${program}`
  return execFileSync('env', [...plain, process.execPath, '--input-type=module', '--eval', script], {
    encoding: 'utf8',
  })
}

t.test('what a shard loads is merged into few files', async t => {
  const count = `
    import { registerHooks } from 'node:module'
    const root = new URL('../..', url).href
    const own = new Set()
    registerHooks({ load(url, context, next) { if (url.startsWith(root)) own.add(url); return next(url, context) } })
    await import(url)
    console.log(own.size)`
  const files = Number(printed(urlOf('supervisor', 'shard', 'run-shard.js'), count))
  t.ok(files > 1 && files < 10, `${files} files`)
})

t.test('a definition that was merged is found by its URL', async t => {
  const find = `
    const found = await import(url)
    for (const [name, { moduleUrl, exportName }] of Object.entries(found))
      console.log(name, moduleUrl === url && exportName === name)`
  t.equal(printed(urlOf('services', 'task-pool.js'), find), 'taskPool true\n')
  t.match(printed(urlOf('services', 'acceptors.js'), find), /^(\w+ true\n)+$/)
})

t.test('an error tells the line of the source', async t => {
  const fail = `
    process.setSourceMapsEnabled(true)
    const { createRandom } = await import(url)
    try { createRandom(Symbol()) } catch (error) { console.log(error.stack) }`
  t.match(printed(urlOf('actors', 'runtime', 'clock.js'), fail), /src\/actors\/runtime\/clock\.ts:\d+/)
})

const old = findOldNode()
t.test('a Node that is too old is told so in one line', { skip: old === undefined && 'no old Node here' }, async t => {
  const stderr = `starfish needs Node ${nodeRange}, this is ${old!.version}\n`
  for (const script of [bin, join(root, 'src', 'bin.js')]) {
    for (const command of ['up', '--version']) {
      t.same(await run(old!.path, script, command), { code: 1, stdout: '', stderr }, `${script} ${command}`)
    }
  }
})
