/**
 * What a worker tells its host over the host's own port, apart from the control channel of the shard.
 *
 *     worker                         main thread
 *       | shard.loaded   (0..1)        |   the runner stands and waits to be activated
 *       | shard.ending   (0..1)        |   the worker ends by itself after this; nothing follows
 */
import type { EncodedExitReason } from './exit-codec.ts'

/** A message of the host's port, always from the worker. */
export type HostMessage =
  | { readonly type: 'shard.loaded' }
  | { readonly type: 'shard.ending'; readonly reason: EncodedExitReason }

/** The channel of `node:diagnostics_channel` on which the host says, at once, that a worker is about to end. */
export const threadEndingChannel = 'starfish:thread.ending'

/** A message of {@link threadEndingChannel}. */
export interface ThreadEnding {
  /** Node's number for the thread. */
  readonly threadId: number
}
