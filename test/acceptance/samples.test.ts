/** The samples of README and docs/ that are programs: each is run, and prints what its page says. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createEventServer, createSystem } from '../../src/index.ts'
import { folderOf, run, sampleFolders, samples } from '../docs/sample-folder.ts'

t.setTimeout(300_000)

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = t.testdir({
  'tsconfig.json': JSON.stringify({ extends: join(root, 'tsconfig.json') }),
  ...sampleFolders(),
})

t.test('programs end with code 0 and print what the page says', async t => {
  // The server that programs are told of by a port.
  await using system = await createSystem({ shards: 0 })
  const { port } = await createEventServer(system, { port: 0 }).start()
  const programs = [...samples].flatMap(([page, each]) =>
    each.filter(({ run }) => run).map(sample => ({ page, ...sample })),
  )
  t.ok(programs.length > 0)
  t.jobs = 2
  const tries = programs.map(({ page, file, prints }) =>
    t.test(`${page}: ${file}`, async t => {
      const args = ['--conditions=starfish-source', file, String(port)]
      const { code, output, errors } = await run(process.execPath, args, join(folder, folderOf(page)))
      t.equal(code, 0, `ends with 0; on stderr: ${errors}`)
      if (prints !== undefined) t.match(output, prints)
    }),
  )
  await Promise.all(tries)
})
