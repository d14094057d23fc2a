/** What the conformance suite of log engines runs on. */
import type { Test } from 'tap'
import type { VirtualClock } from '../../../src/actors/runtime/clock.ts'
import type { LogEngine, LogReader } from '../../../src/protocols/message-log/engine/contract.ts'

/** One store, with an engine that has it open. */
export interface EngineWorld {
  readonly clock: VirtualClock
  readonly engine: LogEngine
  /** What another thread reads by; the engine itself where it has none beside it. */
  readonly reader: LogReader
  /** Closes engine and reader and opens the same store again: a world in its place. */
  reopen(): Promise<EngineWorld>
  close(): Promise<void>
}

/** An engine as the suite is told of it. */
export interface EngineKind {
  readonly name: string
  /** Whether what it stored is there when it is opened again. */
  readonly outlivesClose: boolean
  /** A world with an empty store. */
  open(): Promise<EngineWorld>
}

/** Declares a case; `body` gets a world with the topic `orders`, and its one partition. */
export type EngineTest = (
  name: string,
  body: (t: Test, world: EngineWorld, partitionId: number) => Promise<void>,
) => void
