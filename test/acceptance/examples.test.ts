/** Every example, run as a user would in a checkout, on the sources. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))
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

/** Runs Node.js with these arguments. */
function run(cwd: string, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, args, { cwd, timeout: 60_000 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

t.test('every example has its line here', async t => {
  t.same(readdirSync(examples).sort(), Object.keys(tellingLines))
})

for (const [name, line] of Object.entries(tellingLines)) {
  t.test(`${name} shows what it says, on the sources`, async t => {
    t.match(await run(root, [script, name]), { code: 0, stdout: line })
  })
}

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
