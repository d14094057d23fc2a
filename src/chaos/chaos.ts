/**
 * The verbs: each does one fault to a live system and settles when it has taken effect. What lasts is lifted by its handle,
 * by `resume`, or all of it by `release`.
 *
 *   test ─> Chaos ─┬─ shards: terminate, cells ──────────────> worker
 *                  └─ orders over the control plane ─> thread-side ─> kernel of the thread
 */
import type { Clock, Random } from '../actors/runtime/clock.ts'
import { StarfishError } from '../messages/errors.ts'
import type { ActorExit } from '../messages/thread/exit.ts'
import type { KernelMessage } from '../messages/thread/kernel-message.ts'
import { decodeKernelMessage } from '../messages/thread/kernel-message-codec.ts'
import type { Addressed } from '../supervisor/actor-ref.ts'
import { addressIn } from '../supervisor/argument-check.ts'
import type { AtStop } from '../supervisor/at-stop.ts'
import { internalsOf, type System } from '../supervisor/system.ts'
import { checkFault, checkSchedule, victimOf } from './check-fault.ts'
import type {
  CrashFault,
  CrashHow,
  DelayFault,
  DropFault,
  Fault,
  PauseFault,
  StallFault,
  Target,
  TrafficFault,
  Victim,
} from './fault.ts'
import type { Inflicted, LastingFault, ShardExit, Stall } from './inflicted.ts'
import { type Monkey, type MonkeyOptions, type PlayOptions, playSchedule, startMonkey } from './monkey.ts'
import type { Living } from './order.ts'
import type { Schedule } from './schedule.ts'
import { Threads } from './threads.ts'

/** Creates the fault injector of a system. It does nothing until it is told to. */
export function createChaos(system: System): Chaos {
  return new Chaos(system)
}

/** Where a message between two addresses comes from (null: from no actor) and goes to. */
export interface Way {
  readonly from: Addressed | null
  readonly to: Addressed
}

/**
 * The fault injector of a system; see {@link createChaos}. Every verb rejects with BAD_CONFIG for what makes no sense (also
 * for a fault that would cost the main thread), NO_SUCH_ACTOR for an actor that does not live, and with SHARD_DIED,
 * CONTROL_TIMEOUT or SHUTTING_DOWN when its shard is out of reach. `await using` stops its monkeys at the end of the block,
 * and lifts what lasts.
 */
export class Chaos implements AsyncDisposable {
  readonly #threads: Threads
  readonly #clock: Clock
  readonly #random: Random
  readonly #atStop: AtStop
  readonly #lasting = new Set<LastingFault>()
  readonly #runs = new Set<Monkey>()
  #ids = 0

  /** For {@link createChaos}. */
  constructor(system: System) {
    const main = internalsOf(system)
    this.#threads = new Threads(main)
    this.#clock = main.kernel.clock
    this.#random = main.kernel.random
    this.#atStop = main.atStop
  }

  /** Ends an actor, or a shard's worker, without asking. Resolves with its end. */
  kill(target: { readonly shard: number }): Promise<ShardExit>
  kill(target: Addressed): Promise<ActorExit>
  kill(target: Target): Promise<ActorExit | ShardExit>
  async kill(target: Target): Promise<ActorExit | ShardExit> {
    return this.#end({ kind: 'kill', ...victimOf(target) })
  }

  /** Makes an actor, or a shard, crash. Resolves with its end. */
  crash(target: { readonly shard: number }, how: CrashHow): Promise<ShardExit>
  crash(target: Addressed, how: CrashHow): Promise<ActorExit>
  crash(target: Target, how: CrashHow): Promise<ActorExit | ShardExit>
  async crash(target: Target, how: CrashHow): Promise<ActorExit | ShardExit> {
    return this.#end({ kind: 'crash', how, ...victimOf(target) })
  }

  /** Keeps a shard, or that of an actor, busy for `forMs` milliseconds. Resolves when it spins. */
  async stall(target: Target, forMs: number): Promise<Stall> {
    return this.#stall({ kind: 'stall', forMs, ...victimOf(target) })
  }

  /** Holds an actor, or a shard, still; see {@link PauseFault}. Resolves when it is. */
  async pause(target: Target): Promise<LastingFault> {
    return this.#pause({ kind: 'pause', ...victimOf(target) })
  }

  /** Lifts every pause of a target that this injector set. */
  async resume(target: Target): Promise<void> {
    const victim = victimOf(target)
    const pauses = [...this.#lasting].filter(({ fault }) => fault.kind === 'pause' && isSame(fault, victim))
    await Promise.all(pauses.map(pause => pause.release()))
  }

  /** Loses messages between two addresses; see {@link DropFault}. Ends when the sender's shard is replaced. */
  async drop(options: Way & Pick<DropFault, 'count' | 'ratio' | 'seed'>): Promise<LastingFault> {
    return this.#interfere({ kind: 'drop', ...options, ...addressesOf(options) })
  }

  /** Holds messages between two addresses back; see {@link DelayFault}. Ends when the sender's shard is replaced. */
  async delay(options: Way & Pick<DelayFault, 'delayMs'>): Promise<LastingFault> {
    return this.#interfere({ kind: 'delay', ...options, ...addressesOf(options) })
  }

  /** Does a fault that is given as data. */
  async inflict(fault: Fault): Promise<Inflicted> {
    checkFault(fault)
    switch (fault.kind) {
      case 'stall':
        return { type: 'stalled', stall: await this.#stall(fault) }
      case 'pause':
        return { type: 'lasting', lasting: await this.#pause(fault) }
      case 'drop':
      case 'delay':
        return { type: 'lasting', lasting: await this.#interfere(fault) }
      default:
        return { type: 'ended', exit: await this.#end(fault) }
    }
  }

  /** Does the faults of a schedule, each at its time, until it is stopped, or the system stops. */
  play(schedule: Schedule, options: PlayOptions = {}): Monkey {
    checkSchedule(schedule)
    return this.#run(playSchedule(fault => this.inflict(fault), schedule, { clock: this.#clock, ...options }))
  }

  /**
   * Draws faults from a seed and does them until it is stopped, or the system stops. Prints the seed, with the call that
   * draws the same faults again. Throws BAD_CONFIG.
   */
  monkey(options: MonkeyOptions): Monkey {
    const seed = Math.floor(this.#random() * 2 ** 32)
    return this.#run(startMonkey(fault => this.inflict(fault), { seed, clock: this.#clock, ...options }))
  }

  /** Lifts all that lasts; monkeys go on. */
  async release(): Promise<void> {
    await Promise.all([...this.#lasting].map(lasting => lasting.release()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#runs].map(run => run.stop()))
    await this.release()
  }

  #run(run: Monkey): Monkey {
    this.#runs.add(run)
    const forget = this.#atStop.add(() => void run.stop())
    void run.finished.then(() => {
      forget()
      this.#runs.delete(run)
    })
    return run
  }

  async #end(fault: Extract<Fault, { kind: 'kill' | 'crash' }>): Promise<ActorExit | ShardExit> {
    checkFault(fault)
    if (fault.kind === 'crash' && (fault.how === 'exit' || fault.how === 'outOfMemory')) return this.#crashShard(fault)
    const how = fault.kind === 'kill' ? 'kill' : (fault.how as 'throw' | 'reject')
    if (fault.target === undefined) {
      const shard = this.#threads.shardOf(fault, fault.kind)
      return how === 'kill' ? this.#threads.kill(shard) : this.#threads.crash(shard, how)
    }
    const shard = this.#threads.locate(fault.target)
    const told = await this.#threads.order(shard, { do: 'end', address: fault.target, how })
    return (decodeKernelMessage(told as KernelMessage) as Extract<KernelMessage, { type: 'kernel.exited' }>).exit
  }

  /** The crashes that cost an actor its shard. */
  async #crashShard({ how, ...victim }: CrashFault): Promise<ActorExit | ShardExit> {
    const shard = this.#threads.shardOf(victim, how)
    const living = await this.#look(victim, shard)
    const exit = await this.#threads.crash(shard, how)
    if (living === undefined) return exit
    const { reason, atMs, incarnation } = exit
    const shardLoss = { shard, incarnation }
    return { address: victim.target!, ...living, shard, reason, atMs, lastEvents: [], shardLoss }
  }

  async #stall(fault: StallFault): Promise<Stall> {
    checkFault(fault)
    const shard = this.#threads.shardOf(fault, 'stall')
    await this.#look(fault, shard)
    return this.#threads.stall(shard, fault.forMs)
  }

  async #pause(fault: PauseFault): Promise<LastingFault> {
    checkFault(fault)
    const address = fault.target
    if (address === undefined) {
      const wake = await this.#threads.hold(this.#threads.shardOf(fault, 'pause'))
      return this.#keep(fault, async () => wake())
    }
    const shard = this.#threads.locate(address)
    const { incarnation } = (await this.#threads.order(shard, { do: 'pause', address })) as Living
    return this.#keep(fault, async () => {
      await this.#threads.order(shard, { do: 'resume', address, incarnation })
    })
  }

  async #interfere(fault: TrafficFault): Promise<LastingFault> {
    checkFault(fault)
    this.#threads.locate(fault.to)
    const shard = fault.from === null ? -1 : this.#threads.locate(fault.from)
    const id = ++this.#ids
    await this.#threads.order(shard, { do: 'interfere', id, fault })
    return this.#keep(fault, async () => {
      await this.#threads.order(shard, { do: 'lift', id })
    })
  }

  async #look({ target }: Victim, shard: number): Promise<Living | undefined> {
    if (target === undefined) return undefined
    return (await this.#threads.order(shard, { do: 'look', address: target })) as Living
  }

  #keep(fault: Fault, lift: () => Promise<void>): LastingFault {
    let released: Promise<void> | undefined
    const release = (): Promise<void> => {
      this.#lasting.delete(lasting)
      released ??= lift().catch(unlessGone)
      return released
    }
    const lasting: LastingFault = { fault, release, [Symbol.asyncDispose]: release }
    this.#lasting.add(lasting)
    return lasting
  }
}

function addressesOf({ from, to }: Way): { readonly from: string | null; readonly to: string } {
  return { from: from === null ? null : addressIn('chaos', from), to: addressIn('chaos', to) }
}

/** What was done to a thread went with it. */
function unlessGone(error: unknown): void {
  if (error instanceof StarfishError && (error.code === 'SHARD_DIED' || error.code === 'SHUTTING_DOWN')) return
  throw error
}

function isSame(one: Victim, other: Victim): boolean {
  return one.target === other.target && one.shard === other.shard
}
