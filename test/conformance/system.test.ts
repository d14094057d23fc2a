/** The conformance suite over a system on one thread, in virtual time: `node test/conformance/system.test.ts [group …]`. */
import { groups } from './groups.ts'
import { runGroups } from './suite.ts'
import { createSystemWorld } from './system-world.ts'

runGroups(groups, createSystemWorld, process.argv.slice(2), ['shard'])
