/** `starfish-net/chaos`: faults as data, on the live threads of a system, for tests and for those who doubt. */
import '../check-node.js'

export { type Chaos, createChaos } from './chaos.ts'
export type {
  CrashFault,
  CrashHow,
  DelayFault,
  DropFault,
  Fault,
  KillFault,
  PauseFault,
  StallFault,
  Target,
  Victim,
} from './fault.ts'
export type { Inflicted, LastingFault, ShardExit, Stall } from './inflicted.ts'
export type { Monkey, MonkeyDeed, MonkeyOptions, MonkeyReport, PlayOptions } from './monkey.ts'
export { type DrawOptions, drawSchedule, type FaultName, type Schedule, type ScheduledFault } from './schedule.ts'
