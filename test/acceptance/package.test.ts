/**
 * The package as its users get it: built, packed, installed into an empty folder, and then imported, run, type-checked and
 * shown to a Node.js that is too old. Needs the registry, or npm's cache, for its dependencies.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { nodeRange } from '../../src/check-node.js'
import { encodeEventRequest } from '../../src/messages/index.ts'
import { connectClient } from '../actors/acceptor/event-client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Outside of the checkout, so that nothing of it is found by accident.
const folder = mkdtempSync(join(tmpdir(), 'starfish-package-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
// Loaders that a test runner gives to its children are not for the programs of users.
const { NODE_OPTIONS: _, ...env } = process.env

interface End {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(program: string, ...args: readonly string[]): Promise<End> {
  return new Promise(resolve => {
    const child = execFile(program, args, { cwd: folder, env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

function must(cwd: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

must(root, process.execPath, 'scripts/build.ts')
const [packed] = JSON.parse(must(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder))
const files: readonly string[] = packed.files.map(({ path }: { path: string }) => path)
writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
must(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--silent', packed.filename)
const installed = join(folder, 'node_modules', 'starfish-net')
const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))

/** `starfish-net`, `starfish-net/messages`…: all that can be imported, with the files behind them. */
const entries = Object.entries<{ types: string; default: string }>(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([path, { types, default: main }]) => ({ name: join('starfish-net', path), types, main }))

t.test('it holds what is run, read and linked to, and nothing else', t => {
  const targets = [manifest.bin.starfish, ...entries.flatMap(({ types, main }) => [types, main])]
  for (const target of targets) t.ok(files.includes(target.replace(/^\.\//, '')), target)
  for (const file of files) {
    t.match(file, /^(dist\/.*\.(js|js\.map|d\.ts)|docs\/.*\.(md|svg)|[A-Z]+\.md|LICENSE|package\.json)$/)
  }
  const broken = files.filter(file => file.endsWith('.map')).filter(file => !hasSources(join(installed, file)))
  t.same(broken, [], 'maps hold the sources that they name')
  t.end()
})

function hasSources(map: string): boolean {
  const { sources, sourcesContent } = JSON.parse(readFileSync(map, 'utf8'))
  return sources.length === sourcesContent?.length
}

t.test('every entry can be imported', async t => {
  for (const { name } of entries) {
    const code = `console.log(Object.keys(await import(${JSON.stringify(name)})).length)`
    const { stdout, ...end } = await run(process.execPath, '--input-type=module', '-e', code)
    t.same(end, { code: 0, stderr: '' }, name)
    t.ok(Number(stdout) > 0, `${name} exports something`)
  }
})

t.test('the rules of log engines run on it', async t => {
  const source = fileURLToPath(new URL('../fixtures/package/engine-rules.ts', import.meta.url))
  cpSync(source, join(folder, 'engine-rules.ts'))
  t.match(await run(process.execPath, 'engine-rules.ts'), { code: 0, stdout: /^\d\d rules, 0 failed\n$/, stderr: /^$/ })
})

t.test('a program with actors of its own runs on it', async t => {
  const source = fileURLToPath(new URL('../fixtures/package', import.meta.url))
  cpSync(source, join(folder, 'program'), { recursive: true })
  t.same(await run(process.execPath, join('program', 'index.ts')), {
    code: 0,
    stdout: 'greeted 2, echoed hello\n',
    stderr: '',
  })
})

t.test('replacing every shard under load fails no request that was accepted', async t => {
  for (const accept of ['reusePort', 'handoff']) {
    t.same(
      await run(process.execPath, join('program', 'rolling.ts'), accept),
      { code: 0, stdout: '0 of the requests failed\n', stderr: '' },
      accept,
    )
  }
})

const examples = join(root, 'examples')
t.test('the examples run on it', { skip: !existsSync(examples) && 'there are none' }, async t => {
  cpSync(examples, join(folder, 'examples'), { recursive: true })
  for (const name of readdirSync(examples).sort()) {
    t.match(await run(process.execPath, join('examples', name, 'index.ts')), { code: 0 }, name)
  }
})

/** The port that the log, of JSON where there is no terminal, says the node serves; throws when the log ends without. */
async function announcedPort(log: Readable): Promise<number> {
  for await (const line of createInterface(log)) {
    const [serving] = JSON.parse(line).listening ?? []
    if (serving) return Number(serving.address.split(':').at(-1))
  }
  throw new Error('it ended without saying where it listens')
}

t.test('the command serves until it is told to stop', async t => {
  const starfish = join(folder, 'node_modules', '.bin', 'starfish')
  const args = ['up', '--port', '0', '--log-port', '0', '--shards', '2']
  const node: ChildProcess = spawn(starfish, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => node.kill('SIGKILL'))
  const port = await announcedPort(node.stderr!)
  const client = await connectClient(port)
  node.stderr!.pipe(process.stderr)
  client.write(encodeEventRequest({ sessionId: 3, body: Buffer.from('hello') }))
  t.match(await client.response(), { status: 0, sessionId: 3, body: Buffer.from('hello') })
  client.socket.end()
  const exit = once(node, 'exit')
  node.kill('SIGTERM')
  t.same(await exit, [0, null])
})

t.test('its types suit a strict program, its libraries checked too', async t => {
  // The user brings the types of Node.js.
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true })
  for (const types of ['node', 'undici-types']) {
    const from = join(root, 'node_modules', types === 'node' ? '@types/node' : types)
    symlinkSync(from, join(folder, 'node_modules', types === 'node' ? '@types/node' : types))
  }
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2025', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: false,
    skipLibCheck: false,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: ['node'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program'] }))
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  t.same(await run(tsc, '-p', folder), { code: 0, stdout: '', stderr: '' })
})

/** A Node.js below the range, among those that the machine has. */
function findOldNode(): { path: string; version: string } | undefined {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'node')
    if (!existsSync(path)) continue
    const version = execFileSync(path, ['--version'], { encoding: 'utf8', env }).trim()
    if (Number(version.slice(1).split('.')[0]) < 24) return { path, version }
  }
  return undefined
}

const old = findOldNode()
t.test(
  'a Node that is too old is told so in one line by every entry',
  { skip: !old && 'no old Node here' },
  async t => {
    const told = { code: 1, stdout: '', stderr: `starfish needs Node ${nodeRange}, this is ${old!.version}\n` }
    t.same(await run(old!.path, join(installed, manifest.bin.starfish), 'up'), told, 'starfish')
    for (const { name } of entries) {
      t.same(await run(old!.path, '--input-type=module', '-e', `await import(${JSON.stringify(name)})`), told, name)
    }
  },
)
