/**
 * The command as it is published: built, and also called by a Node.js that is too old for it.
 */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { nodeRange } from '../src/check-node.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = t.testdir({ dist: {} })
const bin = join(built, 'dist', 'bin.js')
const tsc = join(root, 'node_modules', '.bin', 'tsc')
// The loaders that the test runner gives to its children are not for the compiler.
const plain = ['-u', 'NODE_OPTIONS', process.execPath]
execFileSync('env', [...plain, tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(built, 'dist')], {
  cwd: root,
})

function run(node: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(node, [bin, ...args], (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

/** A Node.js below the range, among those that the machine has. */
function findOldNode(): { path: string; version: string } | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (!existsSync(path)) continue
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
    if (Number(version.slice(1).split('.')[0]) < 24) return { path, version }
  }
  return undefined
}

t.test('the built command runs', async t => {
  t.match(await run(process.execPath, 'up', '--help'), { code: 0, stdout: /^Usage: starfish up/ })
})

const old = findOldNode()
t.test('a Node that is too old is told so in one line', { skip: old === undefined && 'no old Node here' }, async t => {
  const stderr = `starfish needs Node ${nodeRange}, this is ${old!.version}\n`
  t.same(await run(old!.path, 'up'), { code: 1, stdout: '', stderr })
  t.same(await run(old!.path, '--version'), { code: 1, stdout: '', stderr })
})
