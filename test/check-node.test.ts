import { readFileSync } from 'node:fs'
import t from 'tap'
import { nodeProblem, nodeRange } from '../src/check-node.js'

t.test('the range is the one that package.json states', async t => {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  t.equal(nodeRange, engines.node)
})

t.test('the range is kept to at its edges', async t => {
  const usable = ['v24.20.0', 'v24.20.1', 'v24.99.0', 'v26.6.0', 'v26.10.0', 'v27.0.0', 'v100.0.0']
  const tooOld = ['v20.20.2', 'v22.22.0', 'v24.19.9', 'v25.0.0', 'v25.99.0', 'v26.5.9', 'v26.0.0']
  for (const version of usable) t.equal(nodeProblem(version), undefined, version)
  for (const version of tooOld) t.equal(nodeProblem(version), `starfish needs Node ${nodeRange}, this is ${version}`)
})
