/**
 * OTP's supervisor as one synchronous loop over a mailbox: the reference that random runs of the chart are compared with.
 *
 * Starts and shutdowns take no time here, so the model is as short as the rules themselves. It covers static supervisors:
 * strategies, restart types, the budget, significant children, declined and failed starts, and the commands.
 */
import type { Restart } from '../../src/actors/runtime/child.ts'
import type { AutoShutdown, Strategy } from '../../src/supervisor/child-spec.ts'

/** A child of the model. */
export interface ModelChild {
  readonly id: string
  readonly restart: Restart
  readonly significant: boolean
  /** What its starts do; the last goes on for ever. */
  readonly starts: ('run' | 'fail' | 'ignore')[]
}

/** A supervisor of the model. */
export interface ModelSpec {
  readonly strategy: Strategy
  readonly intensity: number
  readonly periodMs: number
  readonly autoShutdown: AutoShutdown
  readonly children: readonly ModelChild[]
}

interface Entry extends ModelChild {
  /** The incarnation that runs or ran last as far as the supervisor knows, as OTP's pid. */
  pid: number | 'undefined' | 'restarting'
}

type Letter = { readonly exit: number; readonly id: string; readonly abnormal: boolean } | { readonly tryAgain: string }

/** The model, running. */
export class OtpModel {
  readonly log: string[] = []
  readonly #spec: ModelSpec
  #children: Entry[]
  readonly #incarnations = new Map<string, number>()
  readonly #living = new Set<string>()
  #mailbox: Letter[] = []
  #restarts: number[] = []
  #nowMs = 0
  /** Why it ended, once it has. */
  exit: string | undefined

  constructor(spec: ModelSpec) {
    this.#spec = spec
    this.#children = spec.children.map(child => ({ ...child, starts: [...child.starts], pid: 'undefined' }))
    if (this.#startAll(this.#children) !== undefined) this.#end('failed_to_start_child')
  }

  /** What whichChildren says. */
  get states(): string[] {
    return this.#children.map(({ id, pid }) => `${id} ${typeof pid === 'number' ? 'running' : pid}`)
  }

  running(id: string): boolean {
    return this.#living.has(id)
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  /** Children end by themselves, all before the supervisor looks into its mailbox. */
  end(ids: readonly string[], how: 'normal' | 'threw'): void {
    for (const id of ids) {
      const pid = this.#incarnations.get(id)!
      this.#die(id, how)
      this.#mailbox.push({ exit: pid, id, abnormal: how === 'threw' })
    }
    this.#work()
  }

  terminateChild(id: string): string {
    const child = this.#find(id)
    if (child === undefined) return 'CHILD_NOT_FOUND'
    this.#terminate(child)
    this.#forget(child)
    return 'ok'
  }

  restartChild(id: string): string {
    const child = this.#find(id)
    if (child?.pid !== 'undefined') return child === undefined ? 'CHILD_NOT_FOUND' : 'CHILD_RUNNING'
    return this.#start(child) ? 'ok' : 'START_FAILED'
  }

  deleteChild(id: string): string {
    const child = this.#find(id)
    if (child?.pid !== 'undefined') return child === undefined ? 'CHILD_NOT_FOUND' : 'CHILD_RUNNING'
    this.#children = this.#children.filter(each => each !== child)
    return 'ok'
  }

  stop(): void {
    this.#end('')
  }

  #find(id: string): Entry | undefined {
    return this.#children.find(child => child.id === id)
  }

  #work(): void {
    for (let letter = this.#mailbox.shift(); letter !== undefined; letter = this.#mailbox.shift()) {
      if (this.exit !== undefined) return
      if ('tryAgain' in letter) {
        const child = this.#find(letter.tryAgain)
        if (child?.pid === 'restarting') this.#restart(child)
      } else {
        const child = this.#find(letter.id)
        if (child?.pid === letter.exit) this.#ended(child, letter.abnormal)
      }
    }
  }

  #ended(child: Entry, abnormal: boolean): void {
    if (child.restart === 'permanent' || (child.restart === 'transient' && abnormal)) {
      this.#restart(child)
      return
    }
    this.#forget(child)
    const { autoShutdown } = this.#spec
    if (!child.significant || autoShutdown === 'never') return
    const isAnyLeft = this.#children.some(each => each.significant && each.pid !== 'undefined')
    if (autoShutdown === 'any_significant' || !isAnyLeft) this.#end('auto_shutdown')
  }

  #restart(child: Entry): void {
    this.#restarts = [...this.#restarts.filter(at => at >= this.#nowMs - this.#spec.periodMs), this.#nowMs]
    if (this.#restarts.length > this.#spec.intensity) {
      this.#forget(child)
      this.#end('reached_max_restart_intensity')
      return
    }
    child.pid = 'undefined'
    const { strategy } = this.#spec
    const first = strategy === 'one_for_all' ? 0 : this.#children.indexOf(child)
    const group = strategy === 'one_for_one' ? [child] : this.#children.slice(first)
    for (const each of [...group].reverse()) {
      this.#terminate(each)
      each.pid = 'undefined'
    }
    const gone = group.filter(each => each.restart === 'temporary')
    this.#children = this.#children.filter(each => !gone.includes(each))
    const failed = this.#startAll(group.filter(each => !gone.includes(each)))
    if (failed === undefined) return
    failed.pid = 'restarting'
    this.#mailbox.push({ tryAgain: failed.id })
  }

  /** Starts left to right up to the first that cannot be; returns that one. */
  #startAll(children: readonly Entry[]): Entry | undefined {
    return children.find(child => !this.#start(child))
  }

  #start(child: Entry): boolean {
    const incarnation = (this.#incarnations.get(child.id) ?? 0) + 1
    this.#incarnations.set(child.id, incarnation)
    const how = child.starts.length > 1 ? child.starts.shift() : child.starts[0]
    if (how === 'run') {
      child.pid = incarnation
      this.#living.add(child.id)
      this.log.push(`up ${child.id}#${incarnation}`)
    } else if (how === 'ignore' && child.restart === 'temporary')
      this.#children = this.#children.filter(each => each !== child)
    return how !== 'fail'
  }

  #terminate(child: Entry): void {
    this.#mailbox = this.#mailbox.filter(
      letter => !('exit' in letter && letter.exit === child.pid && letter.id === child.id),
    )
    if (typeof child.pid === 'number' && this.#living.has(child.id)) this.#die(child.id, 'shutdown')
  }

  #die(id: string, how: string): void {
    this.#living.delete(id)
    this.log.push(`exit ${id}#${this.#incarnations.get(id)} ${how}`)
  }

  #forget(child: Entry): void {
    child.pid = 'undefined'
    if (child.restart === 'temporary') this.#children = this.#children.filter(each => each !== child)
  }

  #end(detail: string): void {
    this.exit = detail
    for (const child of [...this.#children].reverse()) this.#terminate(child)
  }
}
