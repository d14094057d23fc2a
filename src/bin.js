#!/usr/bin/env node
/**
 * The `starfish` command: checks the Node.js it runs on before anything that an older one could not load. JavaScript, so
 * that an older one can be told so from a checkout, too.
 */
import './check-node.js'

const { runCli } = await import('./cli.ts')
process.exit(await runCli(process.argv.slice(2)))
