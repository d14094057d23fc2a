/** The page of guarantees names a test for each of them, and each of these tests is there. */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { faultsOf, guaranteesOf, type ReadLinked } from './guarantees.ts'

const url = new URL('../../docs/semantics.md', import.meta.url)
const page = readFileSync(url, 'utf8')
const read: ReadLinked = link => {
  const file = new URL(link, url)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

t.test('each guarantee of the page names a test, and the test is there', async t => {
  t.same(faultsOf(page, read), [])
  t.ok(guaranteesOf(page).length > 100)
})

t.test('every way in which a page can rot is noticed', async t => {
  const good = [
    '# Page',
    '- [a link](#section)',
    '## Section',
    '- It holds,',
    '  always.[^one]',
    '',
    '  | when | what |',
    '  | ---- | ---- |',
    '  | here | this[^two] |',
    '## What is not promised',
    '- Anything else.',
    '## Tests',
    '[^one]: [a](../test/a.test.ts): it holds, also',
    '    for two',
    "[^two]: [a](../test/a.test.ts): it is 'so' with 3 shards",
  ].join('\n')
  const source = `t.test('it holds, also for two')\nt.test(\`it is 'so' with \${n} shards\`)`
  const readSource: ReadLinked = link => (link === '../test/a.test.ts' ? source : undefined)
  const faults = (from: string, to: string) => faultsOf(good.replace(from, to), readSource)
  t.same(guaranteesOf(good), ['It holds, always.[^one]', '| here | this[^two] |'])
  t.same(faults('', ''), [])
  t.match(faults('always.[^one]', 'always.'), [
    /no test is named for: It holds, always\./,
    /nothing refers to \[\^one\]/,
  ])
  t.match(faults('this[^two]', 'this'), [/no test is named for: \| here/, /nothing refers to \[\^two\]/])
  t.match(faults('always.[^one]', 'always.[^one][^three]'), [/there is no note \[\^three\]/])
  t.match(faults('[^two]:', '[^one]:'), [/there is no note \[\^two\]/, /\[\^one\] is there twice/])
  t.match(faults('a.test.ts', 'b.test.ts'), [/there is no file .*b\.test\.ts/])
  t.match(faults('for two', 'for three'), [/has no test named: it holds, also for three/])
  t.match(faults("'so' with", "'so' without"), [/has no test named: it is 'so' without 3 shards/])
})
