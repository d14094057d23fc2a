import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const bin = fileURLToPath(new URL('../src/bin.js', import.meta.url))

/** Runs the command to its end. */
function starfish(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [bin, ...args], (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

t.test('--version prints the version of the package', async t => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  t.same(await starfish('--version'), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('help is printed for the command and for each of its commands', async t => {
  t.match(await starfish('--help'), { code: 0, stdout: /^Usage: starfish <command>.* up /s, stderr: '' })
  const { code, stdout } = await starfish('up', '--help')
  t.equal(code, 0)
  for (const option of ['--host', '--port', '--shards', '--no-heart']) t.match(stdout, option)
})

t.test('what is called wrongly is told in one line, with code 1', async t => {
  const calls: readonly [string[], string][] = [
    [[], 'starfish: no command; see starfish --help\n'],
    [['down'], 'starfish: unknown command or option down; see starfish --help\n'],
    [['--verbose'], 'starfish: unknown command or option --verbose; see starfish --help\n'],
    [['up', '--prot', '1'], "starfish up: Unknown option '--prot'; see starfish up --help\n"],
    [['up', 'now'], "starfish up: Unexpected argument 'now'; see starfish up --help\n"],
    [['up', '--port'], "starfish up: Option '--port <value>' argument missing; see starfish up --help\n"],
    [['up', '--port', 'http'], 'starfish up: --port takes a whole number from 0 to 65535, not "http"\n'],
    [['up', '--port=65536'], 'starfish up: --port takes a whole number from 0 to 65535, not "65536"\n'],
    [['up', '--port='], 'starfish up: --port takes a whole number from 0 to 65535, not ""\n'],
    [['up', '--shards', '0'], 'starfish up: --shards takes a whole number from 1 to 1024, not "0"\n'],
  ]
  for (const [args, stderr] of calls) t.same(await starfish(...args), { code: 1, stdout: '', stderr }, args.join(' '))
})

t.test('a node that cannot start says why in one line, with code 1, with and without its parent', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const stderr = new RegExp(`^starfish: 127\\.0\\.0\\.1:${port} is in use by .+\n$`)
  for (const heart of [[], ['--no-heart']]) {
    const args = ['up', '--port', String(port), '--shards', '1', ...heart]
    t.match(await starfish(...args), { code: 1, stdout: /^$/, stderr }, args.join(' '))
  }
})
