/** What the cases run on, and what they are told of an engine. */
import type { VirtualClock } from '../../../../actors/runtime/clock.ts'
import type { LogEngine, LogEngineContext, LogReader } from '../contract.ts'

/** One store, with an engine that has it open. */
export interface OpenedLog {
  readonly engine: LogEngine
  /** What another thread reads by; the engine itself where it has none beside it. */
  readonly reader: LogReader
  /** Closes engine and reader and opens the same store again. */
  reopen(): Promise<OpenedLog>
  /** Closes both, which may be closed already, and removes the store. */
  close(): Promise<void>
}

/** An engine as the suite is told of it. */
export interface LogEngineKind {
  /** Whether what it stored is there when it is opened again. */
  readonly outlivesClose: boolean
  /** Opens an empty store. The context is for engine and reader, of a reopening too; its clock is moved by the case. */
  open(context: LogEngineContext): Promise<OpenedLog>
}

/** A store in the hands of a case. */
export interface CaseWorld extends OpenedLog {
  readonly clock: VirtualClock
}

/** What a case does; it gets a store with the topic `orders`, and its one partition. */
export type CaseBody = (world: CaseWorld, partitionId: number) => Promise<void>

/** Declares a case. */
export type DeclareCase = (name: string, body: CaseBody) => void
