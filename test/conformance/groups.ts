/** All groups of the conformance suite. */
import { beyond } from './beyond.ts'
import { commands } from './commands.ts'
import { dynamic } from './dynamic.ts'
import { intensity } from './intensity.ts'
import { oneForAll } from './one-for-all.ts'
import { oneForOne } from './one-for-one.ts'
import { restForOne } from './rest-for-one.ts'
import { restartTypes } from './restart-types.ts'
import { significant } from './significant.ts'
import { specs } from './specs.ts'
import { start } from './start.ts'
import { stop } from './stop.ts'
import type { ConformanceGroup } from './suite.ts'
import { trees } from './trees.ts'

/** In the order in which they are run. */
export const groups: readonly ConformanceGroup[] = [
  start,
  specs,
  stop,
  restartTypes,
  oneForOne,
  oneForAll,
  restForOne,
  dynamic,
  intensity,
  significant,
  commands,
  trees,
  beyond,
]
