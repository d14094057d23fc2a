/**
 * Builds the package into dist/, or the folder that is given: what src/ holds as JavaScript, with types and source maps,
 * its modules merged and the command executable.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mergeModules } from './merge-modules.ts'

const cwd = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(/package\.json$/, 'bin/tsc')
const dist = resolve(cwd, process.argv[2] ?? 'dist')

rmSync(dist, { recursive: true, force: true })
const options = ['-p', 'tsconfig.build.json', '--outDir', dist]
const { status } = spawnSync(process.execPath, [tsc, ...options], { stdio: 'inherit', cwd })
if (status !== 0) process.exit(status ?? 1)
await mergeModules(dist)
chmodSync(join(dist, 'bin.js'), 0o755)
