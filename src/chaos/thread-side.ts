/**
 * The injector's hands on a thread: a shard loads this module with the first order it gets; on the main thread it is called
 * as it is. What hits one actor happens in that actor's name, so that the kernel holds it to account as for its own deeds.
 */
import { StarfishError } from '../messages/errors.ts'
import type { ActorExit } from '../messages/thread/exit.ts'
import type { KernelMessage } from '../messages/thread/kernel-message.ts'
import { encodeKernelMessage } from '../messages/thread/kernel-message-codec.ts'
import { type ActorCell, actorStorage } from '../supervisor/kernel/cell.ts'
import type { Kernel } from '../supervisor/kernel/kernel.ts'
import { holdShard } from '../supervisor/shard/shard-cells.ts'
import type { ThreadInside } from '../supervisor/shard/shard-control.ts'
import type { ShardContext } from '../supervisor/shard/worker-host.ts'
import type { CrashHow } from './fault.ts'
import type { Living, Order } from './order.ts'
import { Traffic } from './traffic.ts'

const traffics = new WeakMap<Kernel, Traffic>()

/** Carries an order out. Throws NO_SUCH_ACTOR when it is about an actor that does not live here now. */
export function inflict({ kernel, context }: ThreadInside, given: unknown): unknown {
  const order = given as Order
  switch (order.do) {
    case 'end':
      return end(kernel, order.address, order.how)
    case 'look':
      return look(kernel, order.address)
    case 'pause': {
      const cell = cellOf(kernel, order.address)
      cell.pauses++
      return livingOf(cell)
    }
    case 'resume':
      return resume(kernel, order.address, order.incarnation)
    case 'interfere':
      if (order.fault.from !== null) cellOf(kernel, order.fault.from)
      return trafficOf(kernel).add(order.id, order.fault)
    case 'lift':
      return trafficOf(kernel).lift(order.id)
    case 'answer':
      return undefined
    default:
      // The answer has to be on its way before the thread is busy, asleep or gone.
      setImmediate(() => hitShard(context as ShardContext, order))
      return undefined
  }
}

type ShardOrder = Extract<Order, { do: 'crash' | 'spin' | 'hold' }>

function hitShard(context: ShardContext, order: ShardOrder): void {
  if (order.do === 'hold') holdShard(context.shared)
  else if (order.do === 'spin') spin(order.forMs, order.begun)
  else crash(order.how)
}

function spin(forMs: number, begun: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(begun, 0, 1)
  Atomics.notify(begun, 0)
  const untilMs = performance.now() + forMs
  while (performance.now() < untilMs);
}

function crash(how: CrashHow): void {
  if (how === 'exit') process.exit(1)
  else if (how === 'outOfMemory') leak([])
  else fail(how)
}

/** A little each turn, so that the worker still reaches its soft heap mark and ends by itself. */
function leak(kept: unknown[]): void {
  for (let i = 0; i < 1_000; i++) kept.push({ i, text: `number ${i}`, pair: [i, i] })
  setImmediate(leak, kept)
}

function fail(how: 'throw' | 'reject'): void {
  const error = new Error(how === 'throw' ? 'thrown by chaos' : 'rejected by chaos')
  if (how === 'throw') throw error
  void Promise.reject(error)
}

/** Ends an actor; answers how it ended. */
async function end(kernel: Kernel, address: string, how: 'kill' | 'throw' | 'reject'): Promise<KernelMessage> {
  const isHosted = how === 'kill' && kernel.hosts.has(address)
  const cell = isHosted ? undefined : cellOf(kernel, address)
  const exited = new Promise<ActorExit>(resolve => kernel.watchHere(address, resolve))
  if (cell === undefined) kernel.hosts.kill(address)
  else if (how === 'kill') kernel.lifecycle.kill(address, cell.incarnation)
  else if (kernel.shard === -1) kernel.lifecycle.end(cell, reasonOnMain(how))
  else actorStorage.run(cell, () => queueMicrotask(() => fail(how)))
  return encodeKernelMessage({ type: 'kernel.exited', exit: await exited })
}

/** On the main thread an error that nobody catches ends the program, so there the kernel is told what became of it. */
function reasonOnMain(how: 'throw' | 'reject'): ActorExit['reason'] {
  return how === 'throw'
    ? { type: 'threw', error: new Error('thrown by chaos') }
    : { type: 'unhandledRejection', error: new Error('rejected by chaos') }
}

function resume(kernel: Kernel, address: string, incarnation: number): void {
  const cell = kernel.entries.get(address)?.cell
  if (cell?.incarnation !== incarnation || cell.pauses === 0) return
  cell.pauses--
  kernel.wake(cell)
}

function cellOf(kernel: Kernel, address: string): ActorCell {
  const entry = kernel.entries.get(address)
  if (entry?.cell !== undefined) return entry.cell
  if (kernel.hosts.has(address)) {
    const text = `${address} lives inside another actor: it can be killed, and have messages to it lost or delayed`
    throw new StarfishError('BAD_CONFIG', text, { details: { option: 'target', address } })
  }
  const state = entry?.state ?? 'unknown'
  const details = { address, state }
  throw new StarfishError('NO_SUCH_ACTOR', `no actor lives at ${address} now: it is ${state}`, { details })
}

function look(kernel: Kernel, address: string): Living {
  const hosted = kernel.hosts.summary(address)
  return hosted ?? livingOf(cellOf(kernel, address))
}

function livingOf({ entry, incarnation }: ActorCell): Living {
  return { incarnation, definition: entry.isSupervisor ? 'supervisor' : entry.definition.exportName }
}

function trafficOf(kernel: Kernel): Traffic {
  const known = traffics.get(kernel) ?? new Traffic(kernel)
  traffics.set(kernel, known)
  return known
}
