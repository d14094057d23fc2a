import { readFileSync } from 'node:fs'
import t from 'tap'
import { groups } from './groups.ts'

const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
const [, applying = '', notApplying = ''] = page.split(/^## Cases that .*$/m)
const rows = (text: string) =>
  [...text.matchAll(/^\| `(\w+)` +\| +([^|]+?) +\|/gm)].map(([, name, cell]) => ({ name, cell }))

t.test('docs/conformance.md knows each of the 93 cases of OTP once', async t => {
  const names = [...rows(applying), ...rows(notApplying)].map(({ name }) => name)
  t.equal(names.length, 93)
  t.equal(new Set(names).size, 93)
  t.match(
    page,
    `Of its 93 cases ${rows(applying).length} have an equivalent here, ${rows(notApplying).length} have none`,
  )
})

t.test('the cases that it says apply are those of the suite, each in the group that it names', async t => {
  const ofOtp = groups.flatMap(group =>
    group.name === 'beyond'
      ? []
      : group.cases.filter(each => !each.name.includes('(not in OTP')).map(({ name }) => ({ name, cell: group.name })),
  )
  const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
    String(a.name).localeCompare(String(b.name))
  t.same(rows(applying).sort(byName), ofOtp.sort(byName))
})

t.test('every case says what is done and what is seen, and every group what it would notice', async t => {
  for (const { name, cases, mutations } of groups) {
    t.ok(mutations.length > 0, name)
    for (const each of cases) t.ok(each.stimulus.length > 10 && each.observed.length > 10, each.name)
  }
})
