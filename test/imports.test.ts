/** The rooms of `src`: imports go from a higher one to a lower one, and rooms beside each other know nothing of each other. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** From the top of the house to its bottom. */
const floors: readonly (readonly string[])[] = [
  ['bin.js', 'index.ts'],
  ['cli.ts', 'chaos'],
  ['cli', 'node.ts'],
  ['heart', 'services'],
  ['supervisor', 'protocols'],
  ['actors/acceptor', 'actors/connection', 'actors/datagram', 'actors/task-pool'],
  ['actors/serving'],
  ['actors/runtime', 'running-node.ts'],
  ['messages', 'logger.ts'],
  ['check-node.js'],
]

const src = fileURLToPath(new URL('../src/', import.meta.url))

function roomOf(path: string): string {
  const [first = '', second] = path.split('/')
  return first === 'actors' ? `${first}/${second}` : first
}

function floorOf(room: string): number {
  return floors.findIndex(rooms => rooms.includes(room))
}

t.test('imports go down, never up or aside', async t => {
  const files = globSync('**/*.{ts,js}', { cwd: src })
  t.ok(files.length > 100)
  for (const file of files) {
    const from = roomOf(file)
    t.ok(floorOf(from) >= 0, `${from} has a floor`)
    for (const [, target] of readFileSync(join(src, file), 'utf8').matchAll(
      /(?:from|import|import\()\s*'(\.[^']+)'/g,
    )) {
      const to = roomOf(join(dirname(file), target!))
      if (to !== from) t.ok(floorOf(to) > floorOf(from), `${file} imports ${target}`)
    }
  }
})
