#!/usr/bin/env node
/**
 * The `starfish` command: checks the Node.js it runs on before anything that an older one could not load. JavaScript, so
 * that an older one can be told so from a checkout, too.
 */
import './check-node.js'

// Loading takes longer than a signal: until somebody else listens there is nothing to finish, and nobody to be told.
const early = process.argv[2] === 'up' ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : []
const end = () => process.exit(0)
for (const signal of early) process.on(signal, end)
const whenListening = () => {
  for (const signal of early) process.off(signal, end)
}

const { runCli } = await import('./cli.ts')
process.exit(await runCli(process.argv.slice(2), { whenListening }))
