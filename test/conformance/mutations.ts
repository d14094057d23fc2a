/**
 * Shows that the conformance suite can fail: breaks the sources in each way that is named beside a group, one at a time,
 * in a copy of them, and runs that group. Every mutation has to make it fail.
 *
 *     node test/conformance/mutations.ts [group …]
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { groups } from './groups.ts'
import type { Mutation } from './suite.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const runLimitMs = 60_000

function copySources(): string {
  const copy = mkdtempSync(join(tmpdir(), 'starfish-mutations-'))
  for (const each of ['src', 'test', 'package.json', 'tsconfig.json'])
    cpSync(join(root, each), join(copy, each), { recursive: true })
  symlinkSync(realpathSync(join(root, 'node_modules')), join(copy, 'node_modules'))
  return copy
}

interface Outcome {
  /** Null when the run had to be stopped. */
  readonly code: number | null
  /** Cases that failed. */
  readonly failed: readonly string[]
}

function runGroup(copy: string, group: string): Outcome {
  const args = [join(copy, 'test/conformance/charts.test.ts'), group]
  const run = spawnSync(process.execPath, args, { cwd: copy, timeout: runLimitMs, killSignal: 'SIGKILL' })
  const failed = [...run.stdout.toString().matchAll(/^ {4}not ok \d+ - (\w+)/gm)].map(found => found[1]!)
  return { code: run.status, failed }
}

function isNoticed(copy: string, group: string, mutation: Mutation): boolean {
  const file = join(copy, 'src', mutation.file)
  const original = readFileSync(file, 'utf8')
  const parts = original.split(mutation.search)
  if (parts.length !== 2) {
    console.log(`ERROR  ${group}: ${mutation.file} has the text of «${mutation.breaks}» ${parts.length - 1} times`)
    return false
  }
  writeFileSync(file, parts.join(mutation.replacement))
  const { code, failed } = runGroup(copy, group)
  writeFileSync(file, original)
  const isSeen = code !== 0 && failed.length > 0
  console.log(`${isSeen ? 'seen  ' : 'MISSED'} ${group}: ${mutation.breaks} (exit ${code}; ${failed.join(', ')})`)
  return isSeen
}

const only = process.argv.slice(2)
const copy = copySources()
try {
  let tried = 0
  let noticed = 0
  for (const { name, mutations } of groups) {
    if (only.length > 0 && !only.includes(name)) continue
    const { code } = runGroup(copy, name)
    if (code !== 0) throw new Error(`group ${name} fails (${code}) before anything is broken`)
    for (const mutation of mutations) {
      tried++
      if (isNoticed(copy, name, mutation)) noticed++
    }
  }
  console.log(`${noticed} of ${tried} mutations made their group fail`)
  if (tried === 0 || noticed < tried) process.exitCode = 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}
