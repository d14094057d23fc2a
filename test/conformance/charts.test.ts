/** The conformance suite over the charts: `node test/conformance/charts.test.ts [group …]`. */
import { createChartWorld } from './chart-world.ts'
import { groups } from './groups.ts'
import { runGroups } from './suite.ts'

runGroups(groups, createChartWorld, process.argv.slice(2))
