/**
 * The node's end of the heart: says that it lives and when it is ready, and sees to it that the node does not outlive
 * its parent.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Set in the environment of a node that a heart started. */
export const heartVariable = 'STARFISH_HEART'

/** File descriptor, in the node, of the pipe that closes when the parent dies. */
export const lifelineFd = 4

/** What a node tells its parent, over the IPC channel. */
export type HeartMessage = { readonly type: 'heart.beat' } | { readonly type: 'heart.ready' }

/** A node's tie to its parent. */
export interface HeartTie {
  /** The node serves: from now on an error of it is worth a restart. */
  ready(): void
}

/** Whether this process was started by a heart. */
export function isUnderHeart(): boolean {
  return process.env[heartVariable] !== undefined
}

/** Ties this process to the heart that started it; call it before anything that may take long or fail. */
export function joinHeart(beatMs: number): HeartTie {
  // Processes that the node starts are no nodes.
  delete process.env[heartVariable]
  // A thread of its own: this one may be stuck when the parent dies.
  const lifelineUrl = new URL(`./lifeline${extname(new URL(import.meta.url).pathname)}`, import.meta.url)
  new Worker(lifelineUrl, { workerData: { fd: lifelineFd }, resourceLimits: { maxOldGenerationSizeMb: 16 } }).unref()
  tell({ type: 'heart.beat' })
  setInterval(tell, beatMs, { type: 'heart.beat' } satisfies HeartMessage).unref()
  return { ready: () => tell({ type: 'heart.ready' }) }
}

function tell(message: HeartMessage): void {
  // A parent that is gone cannot be told; the lifeline ends this process.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}
