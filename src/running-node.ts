/**
 * What the command needs of a node: how to start one, and what a running one can be asked.
 */
import type { Logger } from './logger.ts'

/** What the command line says about the node. */
export interface NodeOptions {
  readonly host: string
  readonly port: number
  /** Shards to run; chosen by the node when missing. */
  readonly shards?: number
  readonly logger: Logger
}

/** A node that serves. */
export interface RunningNode {
  /** What listens where, for people to read. */
  readonly listening: readonly { readonly name: string; readonly address: string }[]
  /** Finishes what is in flight, closes everything, and settles; within the node's own deadlines. */
  stop(): Promise<void>
  /** Settles when the node cannot go on. Never settles otherwise. */
  readonly failed: Promise<Error>
}

/** Starts a node; rejects when it cannot serve. */
export type RunNode = (options: NodeOptions) => Promise<RunningNode>
