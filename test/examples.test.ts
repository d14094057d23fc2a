/**
 * Every example, run as a user would: in a checkout on the sources, and in a folder of its own against the built package.
 */
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))
const script = join(root, 'scripts', 'run-example.ts')
const examples = join(root, 'examples')

/** A line of each example that is only printed when it showed what it is there to show. */
const tellingLines: Readonly<Record<string, RegExp>> = {
  '01-hello-supervisor': /^incarnation 1 ended: threw\nhello Alan, you are number 1$/m,
  '02-kill-and-recover': /^the far till goes on with 700 cents, incarnation 3\nthe near till never noticed$/m,
  '03-typed-messages': /^warm at 21 degrees\nNO_SUCH_ACTOR: .* \(handled: no\)$/m,
  '04-first-chaos-test': /^seed \d+: \d+ faults, \d+ of 500 requests answered$/m,
  '05-event-server': /^200 echoes answered over the death of a shard\n.*: every request answered$/m,
  '06-message-log': /^10000 messages over two kills: each acknowledged, stored once, read once, in order$/m,
  // It says what it lacks, where that is no fault.
  '07-log-on-jetstream':
    process.env['STARFISH_TESTS_SKIP_NOTHING'] === '1'
      ? /^the other node has them all, each once and in order$/m
      : /^the other node has them all, each once and in order$|^skipped: there is no nats-server/m,
}

/** As the user's shell would: without the hooks that the test runner adds to child processes. */
const plain = ['-u', 'NODE_OPTIONS']

function run(cwd: string, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(
      'env',
      [...plain, process.execPath, ...args],
      { cwd, timeout: 60_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

/** A folder with the built package, its dependencies and the examples; nothing in it leads back to the checkout. */
function installPackage(folder: string): void {
  const installed = join(folder, 'node_modules', 'starfish-net')
  const build = join(root, 'tsconfig.build.json')
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  execFileSync('env', [...plain, tsc, '-p', build, '--outDir', join(installed, 'dist')])
  cpSync(join(root, 'package.json'), join(installed, 'package.json'))
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  mkdirSync(join(folder, 'node_modules', '@nats-io'))
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  cpSync(examples, join(folder, 'examples'), { recursive: true })
}

t.test('every example has its line here', async t => {
  t.same(readdirSync(examples).sort(), Object.keys(tellingLines))
})

for (const [name, line] of Object.entries(tellingLines)) {
  t.test(`${name} shows what it says, on the sources`, async t => {
    t.match(await run(root, [script, name]), { code: 0, stdout: line })
  })
}

t.test('against the package as it is built, in a folder of its own', async t => {
  const folder = t.testdir({ 'package.json': '{ "type": "module" }', node_modules: { 'starfish-net': { dist: {} } } })
  installPackage(folder)
  for (const [name, line] of Object.entries(tellingLines)) {
    t.match(await run(folder, [join('examples', name, 'index.ts')]), { code: 0, stdout: line }, name)
  }
})

t.test('without a name the examples are listed, each with what it shows', async t => {
  const { code, stdout } = await run(root, [script])
  t.equal(code, 0)
  t.same(
    stdout
      .trimEnd()
      .split('\n')
      .map(each => each.split(/ {2,}/)[0]),
    Object.keys(tellingLines),
  )
  t.match(stdout, /^02-kill-and-recover {2,}Kill an actor, then its whole worker thread$/m)
})

t.test('an unknown name is told, with code 1', async t => {
  const { code, stderr } = await run(root, [script, 'nope'])
  t.equal(code, 1)
  t.match(stderr, /^there is no example nope; there are 01-hello-supervisor, /)
})
