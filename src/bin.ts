#!/usr/bin/env node
/**
 * The `starfish` command: checks the Node.js it runs on before anything that an older one could not load.
 */
import './check-node.ts'

const { runCli } = await import('./cli.ts')
process.exit(await runCli(process.argv.slice(2)))
