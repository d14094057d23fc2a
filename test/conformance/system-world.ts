/**
 * The conformance world over a real system: scripted children are actors, supervisors are trees, and everything is done
 * through the handles that users have. A {@link Place} says on which threads that happens and how time passes.
 */

import { type ActorChildOptions, child } from '../../src/actors/runtime/child.ts'
import { createRandom, createVirtualClock } from '../../src/actors/runtime/clock.ts'
import type { ExitReason } from '../../src/messages/thread/exit.ts'
import { decodeExitReason } from '../../src/messages/thread/exit-codec.ts'
import type { SupervisorFact } from '../../src/supervisor/child-host.ts'
import type { ChildSpec, SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import type { Kernel } from '../../src/supervisor/kernel/kernel.ts'
import type { SupervisorRef } from '../../src/supervisor/supervisor-ref.ts'
import { createSystem, internalsOf, type System } from '../../src/supervisor/system.ts'
import { scripted, squatter } from './fixtures/scripted.ts'
import { decodeFact, listenTo, type StageNews, setScript, stage } from './fixtures/stage.ts'
import { quietLogger } from './quiet-logger.ts'
import type { ConformanceWorld, Script, ScriptedExit, WorldEvent, WorldSupervisor } from './world.ts'

/** The system under a world, and where on it the world's actors live. */
export interface Place {
  readonly system: System
  /** Hands a script to every thread. */
  script(key: string, script: Script): void
  /** Starts a tree. */
  supervise(spec: SupervisorSpec): Promise<SupervisorRef>
  /** Where an actor is to live. */
  placementOf(id: string): Pick<ActorChildOptions, 'shard'>
  /** Where a supervisor that is about to start is to live. */
  placeSupervisors(parent: string, spec: ChildSpec): void
  /** Resolves when what was said to a supervisor has reached it. */
  delivered(): Promise<void>
  /** Resolves when nothing moves any more on any thread. */
  rest(): Promise<void>
  advance(ms: number): Promise<void>
  loseShard?(): Promise<void>
  readonly crowd: number
  /** Told when a world begins and when it is over. */
  opened(hear: (news: StageNews) => void): () => Promise<void>
}

let worlds = 0

/** A world over a system of its own, on the calling thread, in virtual time. */
export async function createSystemWorld(): Promise<ConformanceWorld> {
  return (await createSystemStage()).world
}

/** That world, with the system under it. */
export async function createSystemStage(seed = 1): Promise<{ readonly world: SystemWorld; readonly system: System }> {
  const clock = createVirtualClock(1_000_000)
  const system = await createSystem({ shards: 0, clock, random: createRandom(seed), logger: quietLogger })
  const { kernel } = internalsOf(system)
  const rest = () => restOf(kernel)
  const world = new SystemWorld({
    system,
    script: setScript,
    supervise: spec => system.supervise(spec),
    placementOf: () => ({}),
    placeSupervisors() {},
    crowd: 2_000,
    delivered: rest,
    rest,
    async advance(ms) {
      await clock.advance(ms)
    },
    opened(hear) {
      listenTo(kernel, hear)
      return async () => {
        const stopped = system.stop()
        // Children that do not obey have their deadlines, and starts theirs.
        for (let isOver = false; !isOver; ) {
          await clock.advance(60_000)
          isOver = await Promise.race([stopped.then(() => true), restOf(kernel).then(() => false)])
        }
      }
    },
  })
  return { world, system }
}

/** Resolves when nothing has moved on this thread for so many turns of the event loop. */
export async function restOf(kernel: Kernel, turns = 3): Promise<void> {
  for (let quiet = 0; quiet < turns; ) {
    const { posted } = stage
    await new Promise(resolve => setImmediate(resolve))
    quiet = posted === stage.posted ? quiet + 1 : 0
    if (quiet === turns && hasMail(kernel)) quiet = 0
  }
}

function hasMail(kernel: Kernel): boolean {
  for (const { cell } of kernel.entries.values()) if (cell !== undefined && cell.mailbox.ready > 0) return true
  return false
}

/** A world over a system. */
export class SystemWorld implements ConformanceWorld {
  readonly log: WorldEvent[] = []
  readonly reports: (SupervisorFact & { supervisor: string })[] = []
  /** Of ids that run. */
  readonly #running = new Map<string, number>()
  readonly #addresses = new Map<string, string>()
  readonly #notes = new Map<string, string[]>()
  readonly #squatted = new Set<string>()
  readonly #tops: SupervisorRef[] = []
  readonly #place: Place
  /** What its addresses begin with. */
  readonly name = `w${++worlds}`
  readonly crowd: number
  readonly #closed: () => Promise<void>
  /** Verbs reach supervisors in the order in which they were called. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly loseShard?: NonNullable<ConformanceWorld['loseShard']>

  constructor(place: Place) {
    this.#place = place
    this.crowd = place.crowd
    this.#closed = place.opened(news => this.#hear(news))
    const { loseShard } = place
    if (loseShard === undefined) return
    this.loseShard = async ids => {
      for (const id of ids) if (!this.#running.has(id)) throw new Error(`${id} does not run`)
      await loseShard()
      await this.#place.rest()
    }
  }

  actor: ConformanceWorld['actor'] = (id, options = {}) =>
    child(scripted, { id, ...this.#place.placementOf(id), ...options } as ActorChildOptions)

  script(id: string, script: Script): void {
    this.#squatted.delete(id)
    if (script.starts?.[0] === 'addressTaken') this.#squatted.add(id)
    this.#place.script(`${this.name}/${id}`, script)
  }

  async supervise(spec: SupervisorSpec): Promise<WorldSupervisor> {
    const top = typeof spec !== 'object' || spec.id === '' ? spec : this.#topOf(spec)
    try {
      if (typeof top === 'object') this.#place.placeSupervisors('', top)
      const ref = await this.#place.supervise(top)
      this.#tops.push(ref)
      return this.#handle(ref)
    } finally {
      await this.#place.rest()
    }
  }

  supervisor(id: string): WorldSupervisor {
    if (!this.#running.has(id)) throw new Error(`${id} does not run`)
    return this.#handle(this.#place.system.supervisor(this.#addressOf(id)))
  }

  running(id: string): number | undefined {
    return this.#running.get(id)
  }

  async exit(exits: Readonly<Record<string, ScriptedExit>>): Promise<void> {
    await this.#turn
    const { system } = this.#place
    const kills: Promise<boolean>[] = []
    for (const [id, how] of Object.entries(exits)) {
      if (!this.#running.has(id)) throw new Error(`${id} does not run`)
      const ref = system.ref(scripted, this.#addressOf(id))
      if (how === 'killed') kills.push(system.kill(ref))
      else ref.send({ type: 'scripted.exit', how })
    }
    await Promise.all(kills)
    await this.#place.rest()
  }

  async send(id: string, message: string): Promise<void> {
    this.#place.system.ref(scripted, this.#addressOf(id)).send({ type: `note.${message}` })
    await this.#place.rest()
  }

  received(id: string): readonly string[] {
    return this.#notes.get(`${id}#${this.#running.get(id)}`) ?? []
  }

  deadLetters(id: string): readonly string[] {
    const address = this.#addressOf(id)
    const { letters } = internalsOf(this.#place.system).kernel.deadLetters.report()
    return letters.flatMap(({ to, type }) => (to === address && type.startsWith('note.') ? [type.slice(5)] : []))
  }

  async advance(ms: number): Promise<void> {
    await this.#turn
    await this.#place.advance(ms)
    await this.#place.rest()
  }

  /** Resolves when every verb has been heard and nothing moves any more. */
  async rest(): Promise<void> {
    await this.#turn
    await this.#place.rest()
  }

  async close(): Promise<void> {
    for (const ref of this.#tops) void ref.stop().catch(() => {})
    await this.#closed()
  }

  /** A tree at the top ends once: what happens when one is restarted is not the world's business. */
  #topOf(spec: SupervisorSpec): SupervisorSpec {
    return { ...spec, id: `${this.name}.${spec.id}`, restart: 'temporary' }
  }

  #hear(news: StageNews): void {
    if (!news.address.startsWith(`${this.name}.`)) return
    const id = news.address.slice(Math.max(news.address.lastIndexOf('/'), this.name.length) + 1)
    if (news.type === 'note') {
      const key = `${id}#${news.incarnation}`
      this.#notes.set(key, [...(this.#notes.get(key) ?? []), news.text])
    } else if (news.type === 'report') this.reports.push({ ...decodeFact(news.fact), supervisor: id })
    else if (news.type === 'up') {
      this.#addresses.set(id, news.address)
      this.#running.set(id, news.incarnation)
      this.log.push({ type: 'up', id, incarnation: news.incarnation })
    } else {
      this.#running.delete(id)
      this.log.push({ type: 'exit', id, incarnation: news.incarnation, reason: decodeExitReason(news.reason) })
    }
  }

  #addressOf(id: string): string {
    return this.#addresses.get(id) ?? `${this.name}.unknown/${id}`
  }

  #handle(ref: SupervisorRef): WorldSupervisor {
    const { system } = this.#place
    let ended: ExitReason | undefined
    system.watch(ref, ({ reason }) => {
      ended = reason
    })
    const act = async <T>(command: () => Promise<T>): Promise<T> => {
      try {
        return await this.#inTurn(command)
      } finally {
        await this.#place.rest()
      }
    }
    // A command that is answered is done; what a refused one has set going may not be.
    const ask = async <T>(command: () => Promise<T>): Promise<T> => {
      const answer = await this.#inTurn(command).catch(async error => {
        await this.#place.rest()
        throw error
      })
      await this.#place.delivered()
      return answer
    }
    return {
      startChild: spec =>
        ask(async () => {
          if (typeof spec === 'object') await this.#makeRoom(ref.address, spec)
          return ref.startChild(spec)
        }),
      terminateChild: id => ask(() => ref.terminateChild(id)),
      restartChild: id => ask(() => ref.restartChild(id)),
      deleteChild: id => ask(() => ref.deleteChild(id)),
      whichChildren: id => ask(() => ref.whichChildren(id)),
      countChildren: () => ask(() => ref.countChildren()),
      childSpec: id => ask(() => ref.childSpec(id)),
      stop: () => act(async () => void ref.stop().catch(() => {})),
      kill: () => act(async () => void (await system.kill(ref))),
      exit: () => ended,
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const acted = this.#turn.then(() => {
      const answer = act()
      answer.catch(() => {})
      return { answer }
    })
    this.#turn = acted.then(() => this.#place.delivered())
    return acted.then(({ answer }) => answer)
  }

  async #makeRoom(supervisor: string, spec: ChildSpec): Promise<void> {
    this.#place.placeSupervisors(supervisor, spec)
    if (!this.#squatted.has(spec.id)) return
    await this.#place.system.spawn(squatter, { id: `${supervisor}/${spec.id}`, shard: { with: supervisor } })
  }
}
