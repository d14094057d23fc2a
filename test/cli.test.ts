import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { upForms } from '../src/cli/up-options.ts'
import { newFolder } from './protocols/message-log/sqlite-world.ts'

t.setTimeout(120_000)

const bin = fileURLToPath(new URL('../src/bin.js', import.meta.url))

const freePorts = ['--port', '0', '--log-port', '0', '--shards', '1']

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
  const told = await starfish('up', '--help')
  t.match(told, { code: 0, stdout: /^Usage: starfish up/, stderr: '' })
  for (const option of Object.keys(upForms)) t.match(told.stdout, ` --${option} `)
  t.same(await starfish('help', 'up'), told)
})

t.test('what is called wrongly is told in one line, with code 1', async t => {
  const calls: readonly [string[], string][] = [
    [[], 'no command'],
    [['down'], 'unknown command "down"'],
    [['pu'], 'unknown command "pu" (did you mean up?)'],
    [['help', 'upp'], 'unknown command "upp" (did you mean up?)'],
    [['--verbose'], 'unknown option --verbose'],
    [['--versoin'], 'unknown option --versoin (did you mean --version?)'],
    [['--port=1'], '--port is an option of up: starfish up --port'],
  ]
  for (const [args, problem] of calls) {
    const stderr = `starfish: ${problem}; see starfish --help\n`
    t.same(await starfish(...args), { code: 1, stdout: '', stderr }, args.join(' '))
  }
  const stderr = 'starfish up: --port takes a whole number from 0 to 65535, not "http"; see starfish up --help\n'
  t.same(await starfish('up', '--port', 'http'), { code: 1, stdout: '', stderr })
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

/** A node without a parent, on free ports. */
function startNode(t: Test, data: string) {
  const node = execFile(process.execPath, [bin, 'up', ...freePorts, '--data', data, '--no-heart'])
  t.teardown(() => node.kill('SIGKILL'))
  return node
}

t.test('a signal that comes while the command is loaded ends it with code 0, and leaves no node', async t => {
  const cases: readonly (readonly [string, ...string[]])[] = [['SIGINT'], ['SIGTERM', '--no-heart'], ['SIGHUP']]
  for (const [signal, ...heart] of cases) {
    const hook = `import { registerHooks } from 'node:module'
        registerHooks({
          load(url, context, next) {
            if (url.endsWith('/src/cli.ts')) process.kill(process.pid, '${signal}')
            return next(url, context)
          },
        })`
    const args = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, bin, 'up', ...freePorts, ...heart]
    const command = spawn(process.execPath, [...args, '--data', newFolder(t)], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [command.stdout, command.stderr]) stream.resume()
    // Its output ends with the last process that has it.
    t.same(await once(command, 'close'), [0, null], [signal, ...heart].join(' '))
  }
})

t.test('the last line of a stop says that the node has stopped', async t => {
  const node = startNode(t, newFolder(t))
  const ended = once(node, 'exit')
  const lines: { msg: string }[] = []
  for await (const line of createInterface(node.stderr!)) {
    lines.push(JSON.parse(line))
    if (lines.at(-1)?.msg === 'the node is up') node.kill('SIGTERM')
  }
  t.same(await ended, [0, null])
  t.match(
    lines.slice(-2).map(({ msg }) => msg),
    [/^the node stops/, /^the node has stopped$/],
  )
})
