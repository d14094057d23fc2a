/** The samples of README and docs/: all are type-checked against the sources, as a strict program; the acceptance run runs them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readPage } from './pages.ts'
import { type End, folderOf, run, sampleFolders, samples } from './sample-folder.ts'
import { samplesOf } from './samples.ts'

t.setTimeout(180_000)

const root = fileURLToPath(new URL('../..', import.meta.url))

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
  ...sampleFolders(),
})

interface PackageJson {
  readonly exports: Readonly<Record<string, { readonly types?: string }>>
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
