/** Runs the test suite on the Node that runs this script. Arguments go to tap: files, `--jobs=1`, `--bail`. */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const tap = fileURLToPath(import.meta.resolve('@tapjs/run'))
const cwd = fileURLToPath(new URL('..', import.meta.url))

/** All processors: left to itself tap leaves one of a few idle. */
const jobs = `--jobs=${Math.min(4, availableParallelism())}`

/** The set of tap's plugins is generated code: tap builds it once. */
for (const args of [['build'], ['run', '--disable-coverage', '--reporter=terse', jobs, ...process.argv.slice(2)]]) {
  const { status } = spawnSync(process.execPath, [tap, ...args], { stdio: 'inherit', cwd })
  if (status !== 0) process.exit(status ?? 1)
}
