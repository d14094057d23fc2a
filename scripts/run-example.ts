/**
 * Runs an example on the sources of this checkout: `npm run example -- 01-hello-supervisor`. Without a name it lists them.
 *
 * The condition makes `starfish-net` mean `src/` instead of `dist/`; worker threads inherit it.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../examples/', import.meta.url)
const names = readdirSync(folder, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name)
  .sort()
const [name, ...args] = process.argv.slice(2)

if (name === undefined) {
  for (const each of names) console.log(`${each.padEnd(24)}${titleOf(each)}`)
} else if (!names.includes(name)) {
  console.error(`there is no example ${name}; there are ${names.join(', ')}`)
  process.exitCode = 1
} else {
  const entry = fileURLToPath(new URL(`${name}/index.ts`, folder))
  const { status } = spawnSync(process.execPath, ['--conditions=starfish-source', entry, ...args], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

/** The first line of its README. */
function titleOf(example: string): string {
  const readme = readFileSync(new URL(`${example}/README.md`, folder), 'utf8')
  return readme.slice(0, readme.indexOf('\n')).replace(/^#\s*/, '')
}
