/** The decisions of a task pool: which tasks run and which wait. Pure functions of what it has in hand. */
import type { ReplyToken } from '../runtime/runtime-actions.ts'
import type { TaskName } from './events.ts'

/** A task in hand. */
export interface PoolTask extends TaskName {
  readonly key: string
  /** The right to answer for it; missing for one that was sent, not asked for. */
  readonly token: ReplyToken | undefined
  /** It waits behind those that are not. */
  readonly isBackground: boolean
  readonly timeoutMs: number
  readonly payload: unknown
  readonly bytes: Uint8Array
}

/** What a pool has in hand. Tasks run in the order in which they came, those in the background behind others; none waits while a worker is free. */
export interface PoolLoad {
  readonly running: ReadonlyMap<string, PoolTask>
  readonly queue: readonly PoolTask[]
}

/** How much a pool may have in hand. */
export interface PoolRoom {
  readonly threads: number
  readonly queueMax: number
}

/** A pool without tasks. */
export const noLoad: PoolLoad = { running: new Map(), queue: [] }

/** The key of a task. */
export function taskKey({ owner, ownerIncarnation, number }: TaskName): string {
  return `${owner} ${ownerIncarnation} ${number}`
}

/** True when one more task can run or wait. */
export function hasRoom({ running, queue }: PoolLoad, { threads, queueMax }: PoolRoom): boolean {
  return running.size < threads || queue.length < queueMax
}

/** With one more task, for which there is room. */
export function withTask(load: PoolLoad, task: PoolTask, room: PoolRoom): PoolLoad {
  const at = task.isBackground ? -1 : load.queue.findIndex(({ isBackground }) => isBackground)
  const queue = at < 0 ? [...load.queue, task] : load.queue.toSpliced(at, 0, task)
  return filled({ running: load.running, queue }, room)
}

/** Without a task, and with the next ones running in its place. */
export function withoutTask({ running, queue }: PoolLoad, key: string, room: PoolRoom): PoolLoad {
  if (!running.has(key)) return { running, queue: queue.filter(task => task.key !== key) }
  const left = new Map(running)
  left.delete(key)
  return filled({ running: left, queue }, room)
}

/** The task, whether it runs or waits; undefined for one that is not in hand. */
export function findTask({ running, queue }: PoolLoad, key: string): PoolTask | undefined {
  return running.get(key) ?? queue.find(task => task.key === key)
}

/** The tasks that wait for a worker though the incarnation that asked for them has ended. */
export function orphans({ queue }: PoolLoad, owner: string, incarnation: number): readonly PoolTask[] {
  return queue.filter(task => task.owner === owner && task.ownerIncarnation <= incarnation)
}

/** With as many waiting tasks running as there is room for. */
export function filled({ running, queue }: PoolLoad, { threads }: PoolRoom): PoolLoad {
  const free = threads - running.size
  if (free <= 0 || queue.length === 0) return { running, queue }
  const next = queue.slice(0, free)
  return { running: new Map([...running, ...next.map(task => [task.key, task] as const)]), queue: queue.slice(free) }
}
