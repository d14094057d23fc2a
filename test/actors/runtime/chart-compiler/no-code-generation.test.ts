/** Where code may not be generated from strings, charts are walked instead, and do the same. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const fixture = fileURLToPath(new URL('./compile-and-step.ts', import.meta.url))

function run(...flags: string[]): { generates: boolean; context: unknown } {
  return JSON.parse(execFileSync(process.execPath, [...flags, fixture], { encoding: 'utf8' }))
}

t.test('a process that forbids code generation gets the same results', async t => {
  const generated = run()
  const walked = run('--disallow-code-generation-from-strings')
  t.equal(generated.generates, true)
  t.equal(walked.generates, false)
  t.same(walked.context, generated.context)
  t.match(walked.context, { bytes: 1_620, pings: 0 })
})
