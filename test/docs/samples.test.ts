/** The samples of README and docs/: all are type-checked against the sources, as a strict program, and programs are run. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createEventServer, createSystem } from '../../src/index.ts'
import { readPage, readPages } from './pages.ts'
import { samplesOf } from './samples.ts'

t.setTimeout(180_000)

const root = fileURLToPath(new URL('../..', import.meta.url))
const samples = new Map(readPages().map(({ path, text }) => [path, samplesOf(text)]))

const typed = [...samples].flatMap(([page, each]) =>
  each.flatMap(({ file, code }) => (file.endsWith('.ts') ? [{ path: `${folderOf(page)}/${file}`, code }] : [])),
)
const sources = typed.map(({ path }) => path)
const tsconfig = {
  extends: join(root, 'tsconfig.json'),
  // A reader does not use all that a sample shows.
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  include: [],
  files: sources,
}
const folder = t.testdir({
  'tsconfig.json': JSON.stringify(tsconfig),
  ...Object.fromEntries(
    [...samples].map(([page, each]) => [
      folderOf(page),
      Object.fromEntries(each.map(({ file, code }) => [file, code])),
    ]),
  ),
})

function folderOf(page: string): string {
  return page.replace(/\W/g, '-')
}

interface PackageJson {
  readonly exports: Readonly<Record<string, { readonly types?: string }>>
}

interface End {
  readonly code: number
  readonly output: string
  readonly errors: string
}

/** Without what the runner of these tests adds to child processes. */
function run(program: string, args: readonly string[], cwd: string): Promise<End> {
  return new Promise(resolve => {
    const child = execFile(
      'env',
      ['-u', 'NODE_OPTIONS', program, ...args],
      { cwd, timeout: 60_000 },
      (_, output, errors) => resolve({ code: child.exitCode ?? -1, output, errors }),
    )
  })
}

t.test('each sample has a name of its own on its page', async t => {
  for (const [page, each] of samples) {
    const names = each.map(({ file }) => file)
    t.same(names, [...new Set(names)], page)
  }
})

const tsc = join(root, 'node_modules', '.bin', 'tsc')
const sound: End = { code: 0, output: '', errors: '' }

t.test('all samples are sound TypeScript', async t => {
  t.same(await run(process.execPath, [tsc, '-p', folder], folder), sound)
})

t.test('they are with the tsconfig.json of the README and the types of the package, as a reader has them', async t => {
  const [, told] = /with this `tsconfig.json`:\n\n```json\n(.*?)```/s.exec(readPage('README.md').text)!
  const declared = ['--emitDeclarationOnly', '--outDir', join(folder, 'dist')]
  t.same(await run(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...declared], folder), sound)
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson
  const paths = Object.entries(exports).flatMap(([entry, { types }]) =>
    types === undefined ? [] : [[join('starfish-net', entry), [types]]],
  )
  const { compilerOptions } = JSON.parse(told!)
  // The types of tap ask for those of react.
  const files = typed.filter(({ code }) => !code.includes("from 'tap'")).map(({ path }) => path)
  const reader = { compilerOptions: { ...compilerOptions, paths: Object.fromEntries(paths) }, files }
  writeFileSync(join(folder, 'tsconfig.reader.json'), JSON.stringify(reader))
  t.same(await run(process.execPath, [tsc, '-p', 'tsconfig.reader.json'], folder), sound)
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

t.test('samples are found with their names, marks and output', async t => {
  const page = [
    'Text.',
    '```ts',
    '// a.ts: a file',
    'export const a = 1',
    '```',
    '```sh',
    'npm test',
    '```',
    '```ts run',
    "import { a } from './a.ts'",
    'console.log(a, process.pid)',
    '```',
    '',
    '```text',
    '1 …',
    '```',
    '```json',
    '{}',
    '```',
  ].join('\n')
  const [first, second, ...others] = samplesOf(page)
  t.same(others, [])
  t.match(first, { file: 'a.ts', code: /^\/\/ a.ts: a file\nexport const a = 1\n$/, run: false, prints: undefined })
  t.match(second, { file: 'line-9.ts', run: true })
  t.match('1 234\n', second!.prints!)
  t.notMatch('2 234\n', second!.prints!)
})
