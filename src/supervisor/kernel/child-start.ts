/**
 * What a supervisor asks of the kernel on which a child is to live, and what it is told in return.
 */
import type { ActorExit, ExitReason } from '../../messages/thread/exit.ts'
import type { Checkpoint } from '../../messages/thread/kernel-message.ts'
import type { DefinitionRef } from './definition-loader.ts'
import type { Owner } from './entry.ts'

/** One start of one child. Plain data where the definition is a reference. */
export interface ChildStart {
  readonly address: string
  readonly owner: Owner
  /** Counts the starts of this address, from 1. */
  readonly incarnation: number
  readonly definition: DefinitionRef
  readonly input: unknown
  readonly initTimeoutMs: number
  readonly restore: 'fresh' | 'snapshot'
  readonly isSupervisor: boolean
  /** Messages that are held while no incarnation is there. */
  readonly heldMax: number
  /** The last checkpoint, where the thread that kept it is gone. */
  readonly checkpoint?: Checkpoint
}
