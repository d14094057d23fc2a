/**
 * The conformance world over the charts themselves: each supervisor is a live actor of its chart, and a scripted kernel
 * plays mailboxes, starts, shutdowns and messages on one thread and a virtual clock.
 */
import { type Actor, createActor } from 'xstate'
import { type ActorChildOptions, child } from '../../src/actors/runtime/child.ts'
import { createRandom, createVirtualClock } from '../../src/actors/runtime/clock.ts'
import { StarfishError } from '../../src/messages/errors.ts'
import type { ActorExit, ExitReason } from '../../src/messages/thread/exit.ts'
import type {
  Answer,
  ChildHost,
  ChildStart,
  SupervisorCommand,
  SupervisorEvent,
  SupervisorFact,
} from '../../src/supervisor/child-host.ts'
import type { ResolvedSupervisorSpec, SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { resolveSupervisorSpec } from '../../src/supervisor/spec-check.ts'
import { startError } from '../../src/supervisor/start-error.ts'
import { supervisorChart, type supervisorMachine } from '../../src/supervisor/supervisor-machine.ts'
import { abandon } from '../../src/supervisor/supervisor-state.ts'
import { scripted } from './fixtures/scripted.ts'
import { type Addressee, Mail, MessageBoxes } from './mail.ts'
import type { ConformanceWorld, Script, ScriptedExit, WorldEvent, WorldSupervisor } from './world.ts'

interface Cell {
  readonly id: string
  readonly incarnation: number
  readonly host: Supervisor
  readonly script: Script
  readonly supervisor?: Supervisor
  status: 'starting' | 'up' | 'over'
  readonly timers: unknown[]
}

interface Supervisor extends Addressee {
  readonly spec: ResolvedSupervisorSpec
  readonly actor: Actor<typeof supervisorMachine>
  isReady: boolean
  exit: ExitReason | undefined
  onReady(): void
  onExit(reason: ExitReason): void
}

/** A world over the charts. */
export function createChartWorld(seed = 1): ConformanceWorld {
  return new ScriptedKernel(seed)
}

class ScriptedKernel implements ConformanceWorld {
  readonly log: WorldEvent[] = []
  readonly reports: (SupervisorFact & { supervisor: string })[] = []
  readonly #heldMax = new Map<string, number>()
  readonly #clock = createVirtualClock(1_000_000)
  readonly #random
  readonly #mail = new Mail()
  readonly #boxes = new MessageBoxes()
  readonly #scripts = new Map<string, Script>()
  readonly #incarnations = new Map<string, number>()
  readonly #cells = new Map<string, Cell>()
  readonly #supervisors = new Map<string, Supervisor>()
  #shardIncarnation = 0

  constructor(seed: number) {
    this.#random = createRandom(seed)
  }

  actor: ConformanceWorld['actor'] = (id, options = {}) => child(scripted, { id, ...options } as ActorChildOptions)

  script(id: string, script: Script): void {
    this.#scripts.set(id, { ...script, starts: [...(script.starts ?? ['run'])] })
  }

  async supervise(spec: SupervisorSpec): Promise<WorldSupervisor> {
    const resolved = resolveSupervisorSpec(spec)
    let outcome: WorldSupervisor | Error = new Error('the supervisor did not come up')
    const supervisor = this.#createSupervisor(resolved, {
      onReady: () => {
        outcome = this.#handle(supervisor)
      },
      onExit: reason => {
        if (!supervisor.isReady) outcome = startError(resolved.id, reason)
      },
    })
    supervisor.actor.start()
    await this.#mail.rest()
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  supervisor(id: string): WorldSupervisor {
    return this.#handle(this.#running(id).supervisor!)
  }

  running(id: string): number | undefined {
    const cell = this.#cells.get(id)
    return cell?.status === 'up' ? cell.incarnation : undefined
  }

  async exit(exits: Readonly<Record<string, ScriptedExit>>): Promise<void> {
    for (const [id, exit] of Object.entries(exits)) this.#end(this.#running(id), reasonOf(exit))
    await this.#mail.rest()
  }

  readonly crowd = 2_000

  async loseShard(ids: readonly string[]): Promise<void> {
    const shardLoss = { shard: 0, incarnation: ++this.#shardIncarnation }
    for (const id of ids) this.#end(this.#running(id), { type: 'exited', code: 1 }, shardLoss)
    await this.#mail.rest()
  }

  async send(id: string, message: string): Promise<void> {
    this.#boxes.arrive(id, message, this.running(id) !== undefined, this.#heldMax.get(id) ?? 1_000)
    await this.#mail.rest()
  }

  received(id: string): readonly string[] {
    return this.running(id) === undefined ? [] : this.#boxes.of(id).messages
  }

  deadLetters(id: string): readonly string[] {
    return this.#boxes.of(id).dead
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms)
    await this.#mail.rest()
  }

  async close(): Promise<void> {
    for (const supervisor of this.#supervisors.values()) supervisor.actor.stop()
    await this.#mail.rest()
  }

  #createSupervisor(
    spec: ResolvedSupervisorSpec,
    told: { onReady: () => void; onExit: (reason: ExitReason) => void },
  ): Supervisor {
    const host = this.#hostFor(() => supervisor)
    const chart = supervisorChart(spec) as typeof supervisorMachine
    const actor = createActor(chart, {
      input: { spec, host, clock: this.#clock, random: () => this.#random() },
      clock: this.#clock,
    })
    const supervisor: Supervisor = {
      spec,
      actor,
      isReady: false,
      exit: undefined,
      ...told,
      take: event => supervisor.exit === undefined && actor.send(event),
    }
    actor.subscribe({
      error: error => {
        this.#mail.failure ??= error
      },
      complete: () => {
        const { status, output } = actor.getSnapshot()
        if (status !== 'done') return
        supervisor.exit = output
        supervisor.onExit(output!)
      },
    })
    this.#supervisors.set(spec.id, supervisor)
    return supervisor
  }

  #hostFor(supervisor: () => Supervisor): ChildHost {
    return {
      addressOf: id => id,
      start: start => this.#start(supervisor(), start),
      shutdown: (id, incarnation) => this.#shutdown(this.#cell(id, incarnation)),
      kill: (id, incarnation) => this.#kill(this.#cell(id, incarnation)),
      hold: id => {
        this.#boxes.of(id).isHeld = true
      },
      release: (id, outcome) => this.#boxes.release(id, outcome),
      ready: () => {
        supervisor().isReady = true
        supervisor().onReady()
      },
      post: event => this.#mail.post(supervisor(), event),
      answer: (reply, answer) => (reply as (answer: Answer) => void)(answer),
      report: fact => void this.reports.push({ ...fact, supervisor: supervisor().spec.id }),
    }
  }

  #start(host: Supervisor, start: ChildStart): number {
    const { id, spec } = start
    const incarnation = (this.#incarnations.get(id) ?? 0) + 1
    this.#incarnations.set(id, incarnation)
    if (spec.backoff) this.#heldMax.set(id, spec.backoff.heldMax)
    const script = this.#scripts.get(id) ?? {}
    if (spec.kind === 'supervisor') {
      const told = {
        onReady: () => this.#up(cell),
        onExit: (reason: ExitReason) => this.#end(cell, reason),
      }
      const supervisor = this.#createSupervisor(spec, told)
      const cell: Cell = { id, incarnation, host, script, supervisor, status: 'starting', timers: [] }
      this.#cells.set(id, cell)
      supervisor.actor.start()
      return incarnation
    }
    const cell: Cell = { id, incarnation, host, script, status: 'starting', timers: [] }
    this.#cells.set(id, cell)
    this.#follow(cell, spec.initTimeoutMs)
    return incarnation
  }

  #follow(cell: Cell, initTimeoutMs: number): void {
    const starts = cell.script.starts as Script['starts'] & unknown[]
    const how = starts === undefined ? 'run' : ((starts.length > 1 ? starts.shift() : starts[0]) as string | object)
    if (how === 'run') this.#up(cell)
    else if (how === 'ignore') this.#answerStart(cell, { type: 'child.ignored' })
    else if (how === 'fail') this.#failStart(cell, new Error(`${cell.id} does not start`))
    else if (how === 'addressTaken')
      this.#failStart(cell, new StarfishError('DUPLICATE_ADDRESS', `${cell.id} is taken`))
    else {
      this.#later(cell, initTimeoutMs, () =>
        this.#answerStart(cell, {
          type: 'child.startFailed',
          reason: { type: 'initTimedOut', afterMs: initTimeoutMs },
        }),
      )
      if (typeof how === 'object') this.#later(cell, (how as { runAfterMs: number }).runAfterMs, () => this.#up(cell))
    }
  }

  #failStart(cell: Cell, error: Error): void {
    this.#answerStart(cell, { type: 'child.startFailed', reason: { type: 'bootstrapFailed', error } })
  }

  #up(cell: Cell): void {
    if (cell.status !== 'starting') return
    cell.status = 'up'
    this.#forgetTimers(cell)
    const { id, incarnation, host } = cell
    this.log.push({ type: 'up', id, incarnation })
    this.#mail.post(host, { type: 'child.started', id, incarnation, place: { address: `world/${id}`, shard: -1 } })
  }

  #answerStart(
    cell: Cell,
    answer: { type: 'child.ignored' } | { type: 'child.startFailed'; reason: ExitReason },
  ): void {
    if (cell.status !== 'starting') return
    cell.status = 'over'
    this.#forgetTimers(cell)
    this.#mail.post(cell.host, { ...answer, id: cell.id, incarnation: cell.incarnation } as SupervisorEvent)
  }

  #shutdown(cell: Cell): void {
    if (cell.status !== 'up') return
    if (cell.supervisor) {
      this.#mail.post(cell.supervisor, { type: 'supervisor.stop' })
      return
    }
    const { onShutdown = 'obey' } = cell.script
    if (onShutdown === 'obey') this.#end(cell, { type: 'shutdown' })
    else if (onShutdown === 'refuse') return
    else if ('exit' in onShutdown) this.#end(cell, reasonOf(onShutdown.exit))
    else this.#later(cell, onShutdown.afterMs, () => this.#end(cell, { type: 'shutdown' }))
  }

  #kill(cell: Cell): void {
    if (cell.status === 'over') return
    const { supervisor } = cell
    if (supervisor) this.#killSupervisor(supervisor)
    else this.#end(cell, { type: 'killed' })
  }

  #killSupervisor(supervisor: Supervisor): void {
    if (supervisor.exit !== undefined) return
    supervisor.exit = { type: 'killed' }
    supervisor.actor.stop()
    for (const { id, incarnation } of abandon(supervisor.actor.getSnapshot().context))
      this.#kill(this.#cell(id, incarnation))
    supervisor.onExit(supervisor.exit)
  }

  #end(cell: Cell, reason: ExitReason, shardLoss?: ActorExit['shardLoss']): void {
    const { id, incarnation, host } = cell
    if (cell.status === 'starting') {
      this.#answerStart(cell, { type: 'child.startFailed', reason })
      return
    }
    if (cell.status === 'over') return
    cell.status = 'over'
    this.#forgetTimers(cell)
    this.#boxes.end(id)
    this.log.push({ type: 'exit', id, incarnation, reason })
    const exit: ActorExit = {
      address: `world/${id}`,
      definition: cell.supervisor ? 'supervisor' : 'scripted',
      incarnation,
      shard: -1,
      reason,
      atMs: this.#clock.now(),
      lastEvents: [],
      ...(shardLoss === undefined ? {} : { shardLoss }),
    }
    this.#mail.post(host, { type: 'child.exited', id, incarnation, exit })
  }

  #handle(supervisor: Supervisor): WorldSupervisor {
    const ask = async <T>(command: (reply: (answer: Answer) => void) => SupervisorCommand): Promise<T> => {
      const { promise, resolve } = Promise.withResolvers<Answer>()
      if (supervisor.exit !== undefined) throw new StarfishError('NO_SUCH_ACTOR', `${supervisor.spec.id} has ended`)
      this.#mail.post(supervisor, command(resolve))
      const answer = await promise
      await this.#mail.rest()
      if ('error' in answer) throw answer.error
      return answer.ok as T
    }
    return {
      startChild: spec => ask(reply => ({ type: 'supervisor.startChild', spec, reply })),
      terminateChild: id => ask(reply => ({ type: 'supervisor.terminateChild', id, reply })),
      restartChild: id => ask(reply => ({ type: 'supervisor.restartChild', id, reply })),
      deleteChild: id => ask(reply => ({ type: 'supervisor.deleteChild', id, reply })),
      whichChildren: id =>
        ask(reply => ({ type: 'supervisor.whichChildren', reply, ...(id === undefined ? {} : { id }) })),
      countChildren: () => ask(reply => ({ type: 'supervisor.countChildren', reply })),
      childSpec: id => ask(reply => ({ type: 'supervisor.childSpec', id, reply })),
      stop: () => {
        this.#mail.post(supervisor, { type: 'supervisor.stop' })
        return this.#mail.rest()
      },
      kill: () => {
        this.#killSupervisor(supervisor)
        return this.#mail.rest()
      },
      exit: () => supervisor.exit,
    }
  }

  #later(cell: Cell, ms: number, then: () => void): void {
    cell.timers.push(this.#clock.setTimeout(then, ms))
  }

  #forgetTimers(cell: Cell): void {
    for (const timer of cell.timers.splice(0)) this.#clock.clearTimeout(timer)
  }

  #cell(id: string, incarnation: number): Cell {
    const cell = this.#cells.get(id)
    if (cell?.incarnation !== incarnation) throw new Error(`${id}#${incarnation} is not known`)
    return cell
  }

  #running(id: string): Cell {
    const cell = this.#cells.get(id)
    if (cell?.status !== 'up') throw new Error(`${id} does not run`)
    return cell
  }
}

function reasonOf(exit: ScriptedExit): ExitReason {
  if (exit === 'abnormal') return { type: 'threw', error: new Error('scripted') }
  if (exit === 'shutdown:detail') return { type: 'shutdown', detail: 'some_info' }
  return { type: exit }
}
