/** Every example, run as a user would in a checkout, on the sources. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { examples, root, run, tellingLines } from './fixtures/examples.ts'

const script = join(root, 'scripts', 'run-example.ts')

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
