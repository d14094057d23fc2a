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
const tsc = join(root, 'node_modules', '.bin', 'tsc')
// As the user's shell would run it: the hooks that the test runner adds to child processes suit neither tsc nor an old Node.
const plain = ['-u', 'NODE_OPTIONS']
execFileSync('env', [...plain, tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(built, 'dist')])

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
  const host = pathToFileURL(join(built, 'dist', 'supervisor', 'shard', 'piscina-host.js')).href
  const script = `
    import { createPiscinaHost } from ${JSON.stringify(host)}
    const runnerUrl = 'data:text/javascript,export function runShard() {}'
    const host = createPiscinaHost()
    await host.start({ workerIndex: 0, runnerUrl, bootstrap: {}, loadTimeoutMs: 30_000 }).loaded
    console.log('loaded')
    await host.close()`
  t.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }), 'loaded\n')
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
