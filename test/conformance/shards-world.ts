/**
 * The conformance worlds over worker threads. One system with two shards serves all cases; each has addresses of its own.
 *
 * `alone`: a tree lives on one shard, its supervisors with it. `spread`: supervisors live on the main thread, their
 * children turn and turn about on the two shards. `lodged`: as `spread`, with all children on shard 0, which can be lost.
 */
import type { ActorChildOptions } from '../../src/actors/runtime/child.ts'
import type { ChildSpec, SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { startTopLevel } from '../../src/supervisor/kernel/boot-kernel.ts'
import { resolveSupervisorSpec } from '../../src/supervisor/spec-check.ts'
import { createSystem, internalsOf, type System } from '../../src/supervisor/system.ts'
import { listenTo, type StageNews, setScript, stage } from './fixtures/stage.ts'
import { ear, earAddress, type Order, pulse } from './fixtures/threads.ts'
import { quietLogger } from './quiet-logger.ts'
import { type Place, restOf, SystemWorld } from './system-world.ts'

const shardCount = 2
const threadsUrl = new URL('./fixtures/threads.ts', import.meta.url).href

/** Where the actors of a world live. */
export type Placement = 'alone' | 'spread' | 'lodged'

/** A system with two shards, and worlds over it. */
export interface ShardsStage {
  readonly system: System
  world(placement: Placement): SystemWorld
  /** Has a shard do something. */
  order(shard: number, order: Order): Promise<number>
  /** Ends the worker of a shard; settles when another serves in its place. */
  lose(shard: number): Promise<void>
  /** Resolves when nothing moves any more on any thread. */
  rest(): Promise<void>
  close(): Promise<void>
}

/** Starts the system. */
export async function createShardsStage(): Promise<ShardsStage> {
  const system = await createSystem({ shards: shardCount, logger: quietLogger })
  const stageOf = new Threads(system)
  await stageOf.prepare()
  return stageOf
}

class Threads implements ShardsStage {
  readonly system: System
  #hear: (news: StageNews) => void = () => {}
  /** What was ordered of the shards and has not been done yet. */
  #orders: Promise<unknown> = Promise.resolve()

  constructor(system: System) {
    this.system = system
  }

  async prepare(): Promise<void> {
    const { kernel } = internalsOf(this.system)
    listenTo(kernel, news => this.#hear(news))
    await this.system.spawn(ear, { id: earAddress, shard: 'main' })
    await Promise.all(
      each(async shard => {
        await this.system.spawn(pulse, { id: `pulse-${shard}`, shard })
        await this.order(shard, { type: 'listen' })
      }),
    )
  }

  async order(shard: number, order: Order): Promise<number> {
    const control = await internalsOf(this.system).shards!.control(shard)
    return (await control.call('chaos', [threadsUrl, order])) as number
  }

  async lose(shard: number): Promise<void> {
    const shards = internalsOf(this.system).shards!
    const incarnation = shards.incarnation(shard)
    await shards.worker(shard)!.terminate({ type: 'exited', code: 1 })
    while (shards.incarnation(shard) === incarnation) await new Promise(resolve => setImmediate(resolve))
    await this.order(shard, { type: 'listen' })
  }

  async rest(): Promise<void> {
    const { kernel } = internalsOf(this.system)
    let last = ''
    for (let quiet = 0; quiet < 4; ) {
      const counts = await this.#round()
      await restOf(kernel, 1)
      // The questions of this round are posted events themselves.
      const now = `${stage.posted - this.#asked} ${counts}`
      quiet = now === last ? quiet + 1 : 0
      last = now
    }
  }

  async close(): Promise<void> {
    await this.system.stop()
  }

  world(placement: Placement): SystemWorld {
    return new SystemWorld(this.#placeOf(placement))
  }

  #asked = 0

  /** Once to every shard and back, over its edge and over its control plane: what was said before has been heard. */
  async #round(): Promise<string> {
    await this.#orders
    const counts = await Promise.all(
      each(async shard => {
        this.#asked++
        const [, posted] = await Promise.all([
          this.system.ref(pulse, `pulse-${shard}`).ask({ type: 'pulse.feel' }, { timeoutMs: 10_000 }),
          this.order(shard, { type: 'pulse' }),
        ])
        return posted
      }),
    )
    return counts.join(' ')
  }

  #placeOf(placement: Placement): Place {
    const { system } = this
    const { kernel, directory } = internalsOf(system)
    const shards = new Map<string, number>()
    const placementOf = (id: string): Pick<ActorChildOptions, 'shard'> => {
      if (placement === 'alone') return {}
      const shard = shards.get(id) ?? (placement === 'lodged' ? 0 : shards.size % shardCount)
      shards.set(id, shard)
      return { shard }
    }
    const place: Place = {
      system,
      crowd: 200,
      placementOf,
      script: (key, script) => {
        setScript(key, script)
        const orders = each(shard => this.order(shard, { type: 'script', key, script }))
        this.#orders = Promise.all([this.#orders, ...orders])
      },
      supervise: async spec => {
        await this.#orders
        if (placement === 'alone') return system.supervise(spec)
        const resolved = resolveSupervisorSpec(spec)
        try {
          await startTopLevel(kernel, resolved)
        } catch (error) {
          directory.delete(resolved.id)
          throw error
        }
        return system.supervisor(resolved.id)
      },
      placeSupervisors: (parent, spec) => {
        if (placement !== 'alone') placeOnMain(parent, spec, address => directory.set(address, -1))
      },
      delivered: () => this.#round().then(() => {}),
      rest: () => this.rest(),
      advance: () => Promise.reject(new Error('time does not pass here at will')),
      opened: hear => {
        this.#hear = hear
        return async () => {}
      },
    }
    return placement === 'lodged' ? { ...place, loseShard: () => this.lose(0) } : place
  }
}

function each<T>(work: (shard: number) => Promise<T>): Promise<T>[] {
  return Array.from({ length: shardCount }, (_, shard) => work(shard))
}

/** Lists a supervisor, and those below it, as of the main thread before it starts: there it stays. */
function placeOnMain(parent: string, spec: ChildSpec, list: (address: string) => void): void {
  if (typeof spec !== 'object' || 'definition' in spec) return
  const { id, children } = spec as SupervisorSpec
  const address = parent === '' ? id : `${parent}/${id}`
  list(address)
  for (const child of Array.isArray(children) ? children : []) placeOnMain(address, child, list)
}
