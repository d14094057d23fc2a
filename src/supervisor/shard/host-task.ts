/**
 * The task that fills a Piscina worker for the whole of its life: what runs before, around and beneath a shard.
 *
 * It hooks what nobody caught, starts the tick and the heap guard, imports the runner by URL and hands it its context.
 * It never returns, so that Piscina takes the worker as busy until it ends.
 */
import type { MessagePort } from 'node:worker_threads'
import { StarfishError } from '../../messages/errors.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { encodeExitReason } from '../../messages/thread/exit-codec.ts'
import type { HostMessage } from '../../messages/thread/host.ts'
import { createHeapGuard } from './heap-guard.ts'
import { shardCell, shardCells } from './shard-cells.ts'
import type { FatalReason, RunShard, ShardContext } from './worker-host.ts'

/** What the main thread starts the task with. */
export interface HostTask {
  readonly workerIndex: number
  readonly runnerUrl: string
  readonly bootstrap: unknown
  /** The control channel, for the runner. */
  readonly port: MessagePort
  /** Carries {@link HostMessage}s to the host. */
  readonly hostPort: MessagePort
  readonly shared: SharedArrayBuffer
  /** Period of the worker's tick, ms. */
  readonly tickMs: number
  /** Soft heap mark, share of the heap limit. */
  readonly heapMarkRatio: number
}

/** Runs one shard; settles never. Piscina calls it by its name. */
export function hostShard(task: HostTask): Promise<never> {
  const life = liveShard(task)
  load(task, life).then(
    () => task.hostPort.postMessage({ type: 'shard.loaded' } satisfies HostMessage),
    (error: unknown) => life.end({ type: 'bootstrapFailed', error }),
  )
  return new Promise(() => {})
}

interface ShardLife extends Pick<ShardContext, 'beat' | 'end' | 'onFatal'> {}

/** Sets up all that watches over the shard, before any code of its own runs. */
function liveShard({ hostPort, shared, tickMs, heapMarkRatio }: HostTask): ShardLife {
  const cells = shardCells(shared)
  Atomics.store(cells, shardCell.osThreadId, osThreadId())
  let contains: (reason: FatalReason) => boolean = () => false
  let ending = false

  function end(reason: ExitReason): never {
    // Once only: code that runs while the thread winds down cannot change why it ended.
    if (!ending) hostPort.postMessage({ type: 'shard.ending', reason: encodeExitReason(reason) } satisfies HostMessage)
    ending = true
    return process.exit(1)
  }

  function fatal(reason: FatalReason): void {
    if (!ending && !isContained(reason)) end(reason)
  }

  function isContained(reason: FatalReason): boolean {
    try {
      return contains(reason)
    } catch {
      return false
    }
  }

  process.on('uncaughtException', error => fatal({ type: 'threw', error }))
  process.on('unhandledRejection', error => fatal({ type: 'unhandledRejection', error }))
  const guard = createHeapGuard({
    markRatio: heapMarkRatio,
    cells,
    onMark: detail => end({ type: 'outOfMemory', detail }),
  })
  const beat = () => void Atomics.add(cells, shardCell.ticks, 1)
  const tick = setInterval(() => {
    beat()
    guard.sample()
  }, tickMs)
  tick.unref()
  guard.sample()
  const onFatal: ShardContext['onFatal'] = judge => {
    contains = judge
  }
  return { beat, end, onFatal }
}

async function load(task: HostTask, life: ShardLife): Promise<void> {
  const runner: { runShard?: unknown } = await import(task.runnerUrl)
  if (typeof runner.runShard !== 'function') {
    const details = { moduleUrl: task.runnerUrl, exportName: 'runShard' }
    throw new StarfishError('DEFINITION_NOT_FOUND', 'the runner module exports no function runShard', { details })
  }
  const { workerIndex, port, shared, bootstrap } = task
  await (runner.runShard as RunShard)({ workerIndex, port, shared, bootstrap, ...life })
}

/** The kernel's id of this thread, which its processor time is found by; 0 where there is no Linux /proc. */
function osThreadId(): number {
  try {
    // An import of it would look at each of its exports, and so load streams for 5 ms.
    const { readlinkSync } = process.getBuiltinModule('node:fs')
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0
  } catch {
    return 0
  }
}
