/**
 * Merges the modules of a build into three files, a floor of the house each: `messages.js`, `kernel.js` (what a shard loads)
 * and `starfish.js` (what the package and a node load besides). Node takes half a millisecond to find, read and link a module,
 * whatever is in it, and a worker that replaces another one is waited for.
 *
 * Every merged module stays there under its own path, as a file that re-exports it from where it went: definitions and
 * workers are named by URL. What small programs load (the command, its heart, workers of a task pool), and what only some
 * programs load, is left as it is.
 */
import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

/** Programs that shall not load what they do not need. */
const small = ['bin.js', 'cli.js', 'heart/lifeline.js', 'actors/task-pool/worker.js']
const shard = ['supervisor/shard/host-task.js', 'supervisor/shard/run-shard.js']
const whole = ['index.js', 'node.js']

/** Rewrites the modules below `dist`, an absolute path, in place. */
export async function mergeModules(dist: string): Promise<void> {
  const paths = globSync('**/*.js', { cwd: dist })
  const chunkOf = planChunks(dist, paths)
  const merged = paths.filter(path => chunkOf(path) !== undefined)
  const bundle = await rolldown({
    input: Object.fromEntries(merged.map(path => [path.replace(/\.js$/, ''), join(dist, path)])),
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    plugins: [builtModules(dist, chunkOf)],
  })
  // Of a runtime that rolldown may add too, which has no path here.
  const name = (id: string) => (id.startsWith(dist) ? chunkOf(relative(dist, id)) : 'messages')
  const { output } = await bundle.write({
    dir: dist,
    format: 'esm',
    sourcemap: true,
    minifyInternalExports: false,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { includeDependenciesRecursively: false, groups: [{ name, debugName: 'floors' }] },
  })
  await bundle.close()
  // What only re-exports has no map any more.
  for (const file of output)
    if (file.type === 'chunk' && file.map === null) rmSync(join(dist, `${file.fileName}.map`), { force: true })
}

type ChunkOf = (path: string) => string | undefined

/** Into which file each module goes. What is in one imports nothing of a later one, so that they are evaluated in order. */
function planChunks(dist: string, paths: readonly string[]): ChunkOf {
  const imports = new Map(paths.map(path => [path, importsOf(dist, path)]))
  const forSmall = reached(imports, small)
  const forShard = reached(imports, shard)
  const forWhole = reached(imports, whole)
  return path => {
    if (path.startsWith('messages/')) return 'messages'
    if (forSmall.has(path)) return undefined
    if (forShard.has(path)) return 'kernel'
    return forWhole.has(path) ? 'starfish' : undefined
  }
}

/** The modules that one imports statically, as paths below `dist`. */
function importsOf(dist: string, path: string): string[] {
  const code = readFileSync(join(dist, path), 'utf8')
  return [...code.matchAll(/^(?:import|export)\s(?:[^;'"]*?\bfrom\s)?\s*['"](\.[^'"]+)['"]/gm)].map(([, target]) =>
    join(dirname(path), target!),
  )
}

function reached(imports: ReadonlyMap<string, readonly string[]>, roots: readonly string[]): Set<string> {
  const found = new Set(roots)
  // A set grows while it is walked.
  for (const path of found) for (const target of imports.get(path) ?? []) found.add(target)
  return found
}

/** How rolldown sees the modules: with the maps to their sources, and with the URL that each of them has as a file. */
function builtModules(dist: string, chunkOf: ChunkOf): Plugin {
  return {
    name: 'built-modules',
    resolveId(source, importer) {
      if (importer === undefined) return null
      if (!source.startsWith('.')) return { id: source, external: true }
      const id = join(dirname(importer), source)
      return chunkOf(relative(dist, id)) === undefined ? { id, external: true } : null
    },
    load(id) {
      const url = JSON.stringify(`./${relative(dist, id)}`)
      // Not in comments, whose lines begin with a star.
      const code = readFileSync(id, 'utf8').replaceAll(
        /(?<!\*.*)import\.meta\.url/g,
        `new URL(${url}, import.meta.url).href`,
      )
      return { code, map: readFileSync(`${id}.map`, 'utf8') }
    },
  }
}
