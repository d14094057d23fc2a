/**
 * The threads of a system, as the injector reaches them from the main one: where an address lives, and orders to a shard.
 */
import { StarfishError } from '../messages/errors.ts'
import type { ExitReason } from '../messages/thread/exit.ts'
import type { MainThread } from '../supervisor/main-thread.ts'
import type { ControlPlane } from '../supervisor/shard/control-call.ts'
import { moduleUrlOf } from '../supervisor/shard/module-url.ts'
import { releaseShard, shardCell, shardCells } from '../supervisor/shard/shard-cells.ts'
import type { HostedWorker } from '../supervisor/shard/worker-host.ts'
import { badFault } from './check-fault.ts'
import type { CrashHow, Victim } from './fault.ts'
import type { ShardExit, Stall } from './inflicted.ts'
import type { Order } from './order.ts'
import { inflict } from './thread-side.ts'

/** Above this heap limit a shard is not filled up: that would hit the machine before the shard. */
const fillableMib = 1_024

const threadSideUrl = moduleUrlOf('./thread-side', import.meta.url)

/** How many pauses hold a worker, and what settles when it sleeps. */
interface Hold {
  pauses: number
  readonly begun: Promise<void>
}

/** A worker that is up. */
interface Live {
  readonly worker: HostedWorker
  readonly control: ControlPlane
  readonly incarnation: number
}

const holds = new WeakMap<HostedWorker, Hold>()

/** The threads of one system. */
export class Threads {
  readonly #main: MainThread

  constructor(main: MainThread) {
    this.#main = main
  }

  /** The shard of an address, -1 for the main thread. Throws NO_SUCH_ACTOR. */
  locate(address: string): number {
    const { kernel, directory } = this.#main
    const isHere = kernel.entries.has(address) || kernel.hosts.covers(address)
    const shard = isHere ? -1 : directory.find(address)
    if (shard !== undefined) return shard
    throw new StarfishError('NO_SUCH_ACTOR', `no actor has the address ${address}`, { details: { address } })
  }

  /** The shard of a victim. Throws NO_SUCH_ACTOR, or BAD_CONFIG when it is, or lives on, the main thread. */
  shardOf(victim: Victim, fault: string): number {
    const open = this.#main.shards?.open() ?? []
    if (victim.shard !== undefined) {
      if (open.length === 0) throw badFault('shard', victim.shard, 'left out: this system has no shards')
      if (!open.includes(victim.shard)) throw badFault('shard', victim.shard, `one of ${open.join(', ')}`)
      return victim.shard
    }
    const shard = this.locate(victim.target)
    if (shard >= 0) return shard
    throw badFault('target', victim.target, `on a shard for ${fault}: it would cost the main thread, and the program`)
  }

  /** Has a thread carry an order out. Rejects as the order does, or with SHARD_DIED, CONTROL_TIMEOUT, SHUTTING_DOWN. */
  async order(shard: number, order: Order): Promise<unknown> {
    const { kernel, shards } = this.#main
    if (shard < 0 || shards === undefined) return inflict({ kernel, context: undefined }, order)
    return tell(await shards.control(shard), order)
  }

  /** Ends the worker of a shard. */
  async kill(shard: number): Promise<ShardExit> {
    const live = await this.#live(shard)
    await live.worker.terminate({ type: 'killed', detail: 'by chaos' })
    return endOf(shard, live)
  }

  /** Makes a shard crash. Rejects with BAD_CONFIG when its heap is too large to fill it up. */
  async crash(shard: number, how: CrashHow): Promise<ShardExit> {
    const live = await this.#live(shard)
    if (how === 'outOfMemory') checkFillable(live.worker)
    await tell(live.control, { do: 'crash', how }).catch(unlessEnded)
    return endOf(shard, live)
  }

  /** Makes a shard spin. */
  async stall(shard: number, forMs: number): Promise<Stall> {
    const live = await this.#live(shard)
    const { worker, control } = live
    // The answer alone proves nothing: between it and the spin the shard may take other messages.
    const begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    await tell(control, { do: 'spin', forMs, begun })
    await turned(shard, live, begun, 0)
    const goesOn = tell(control, { do: 'answer' }, Number.POSITIVE_INFINITY).then(() => undefined)
    return { over: goesOn.catch(async () => (await worker.ended).reason) }
  }

  /** Puts a shard to sleep; the function returned wakes it, once every pause of it is over. */
  async hold(shard: number): Promise<() => void> {
    const live = await this.#live(shard)
    const { worker } = live
    const hold = holds.get(worker) ?? { pauses: 0, begun: putToSleep(shard, live) }
    holds.set(worker, hold)
    hold.pauses++
    const wake = () => {
      if (--hold.pauses > 0) return
      holds.delete(worker)
      releaseShard(worker.shared)
    }
    await hold.begun.catch((error: unknown) => {
      wake()
      throw error
    })
    return wake
  }

  /** The worker of a shard with its control plane, once it is up: what is begun with one is not ended with the next. */
  async #live(shard: number): Promise<Live> {
    const shards = this.#main.shards!
    for (;;) {
      const control = await shards.control(shard)
      const worker = shards.worker(shard)
      if (worker !== undefined) return { worker, control, incarnation: shards.incarnation(shard) }
    }
  }
}

function tell(control: ControlPlane, order: Order, timeoutMs?: number): Promise<unknown> {
  return control.call('chaos', [threadSideUrl, order], timeoutMs)
}

async function putToSleep(shard: number, live: Live): Promise<void> {
  await tell(live.control, { do: 'hold' })
  await turned(shard, live, shardCells(live.worker.shared), shardCell.paused)
}

/** Settles when a shard has set a number in shared memory that was 0. Rejects with SHARD_DIED. */
async function turned(shard: number, { worker }: Live, cells: Int32Array, index: number): Promise<void> {
  const set = Atomics.waitAsync(cells, index, 0)
  if (!set.async) return
  const first = await Promise.race([set.value, worker.ended])
  if (typeof first === 'object') throw diedError(shard, first.reason)
}

async function endOf(shard: number, { worker, incarnation }: Live): Promise<ShardExit> {
  return { shard, incarnation, ...(await worker.ended) }
}

/** A worker that does what it was told may be gone before its answer is read. */
function unlessEnded(error: unknown): void {
  if (!(error instanceof StarfishError) || error.code !== 'SHARD_DIED') throw error
}

function checkFillable(worker: HostedWorker): void {
  const limitMib = Math.round(Atomics.load(shardCells(worker.shared), shardCell.heapLimitKib) / 1024)
  if (limitMib <= fillableMib) return
  const text = `the heap of a shard may grow to ${limitMib} MiB: create the system with a shardHeapMb of ${fillableMib} at most`
  throw new StarfishError('BAD_CONFIG', text, { details: { option: 'shardHeapMb', limitMib, fillableMib } })
}

function diedError(shard: number, reason: ExitReason): StarfishError {
  const details = { shard, reason: reason.type }
  return new StarfishError('SHARD_DIED', `shard ${shard} ended (${reason.type}) before the fault took effect`, {
    details,
  })
}
