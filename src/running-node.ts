/**
 * What the command needs of a node: how to start one, and what a running one can be asked.
 */
import type { Logger } from './logger.ts'

/** What the command line says about the node. */
export interface NodeOptions {
  readonly host: string
  /** Of the event server. */
  readonly port: number
  readonly logPort: number
  /** Folder of the store of the message log. */
  readonly data: string
  /** Shards to run; chosen by the node when missing. */
  readonly shards?: number
  readonly logger: Logger
}

/** A listener of a node, for people to read. */
export interface ListeningFact {
  /** What is served there. */
  readonly name: string
  readonly address: string
  /** How connections come to the shards. */
  readonly accept: string
}

/** A node that serves. */
export interface RunningNode {
  readonly listening: readonly ListeningFact[]
  /** File of the store of the message log, absolute. */
  readonly logFile: string
  /** Worker threads that serve. */
  readonly shards: number
  /** What its user could better on this machine, a sentence or two each. */
  readonly hints: readonly string[]
  /** Finishes what is in flight, closes everything, and settles; within the node's own deadlines. */
  stop(): Promise<void>
  /** Settles when the node cannot go on. Never settles otherwise. */
  readonly failed: Promise<Error>
}

/** Starts a node; rejects when it cannot serve. */
export type RunNode = (options: NodeOptions) => Promise<RunningNode>
