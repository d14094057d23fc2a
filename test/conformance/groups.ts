/** All groups of the conformance suite. */
import { oneForAll } from './one-for-all.ts'
import { oneForOne } from './one-for-one.ts'
import { restForOne } from './rest-for-one.ts'
import { restartTypes } from './restart-types.ts'
import { specs } from './specs.ts'
import { start } from './start.ts'
import { stop } from './stop.ts'
import type { ConformanceGroup } from './suite.ts'

/** In the order in which they are run. */
export const groups: readonly ConformanceGroup[] = [start, specs, stop, restartTypes, oneForOne, oneForAll, restForOne]
