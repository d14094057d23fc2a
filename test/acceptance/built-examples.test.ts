/** Every example, run as a user would in a folder of its own, against the built package. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { examples, plain, root, run, tellingLines } from '../fixtures/examples.ts'

/** A folder with the built package, its dependencies and the examples; nothing in it leads back to the checkout. */
function installPackage(folder: string): void {
  const installed = join(folder, 'node_modules', 'starfish-net')
  const build = join(root, 'tsconfig.build.json')
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  execFileSync('env', [...plain, tsc, '-p', build, '--outDir', join(installed, 'dist')])
  cpSync(join(root, 'package.json'), join(installed, 'package.json'))
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  mkdirSync(join(folder, 'node_modules', '@nats-io'))
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  cpSync(examples, join(folder, 'examples'), { recursive: true })
}

t.test('against the package as it is built, in a folder of its own', async t => {
  const folder = t.testdir({ 'package.json': '{ "type": "module" }', node_modules: { 'starfish-net': { dist: {} } } })
  installPackage(folder)
  for (const [name, line] of Object.entries(tellingLines)) {
    t.match(await run(folder, [join('examples', name, 'index.ts')]), { code: 0, stdout: line }, name)
  }
})
