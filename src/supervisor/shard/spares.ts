/**
 * Workers that belong to no slot yet. One stands by, so that replacing a shard costs no start-up:
 *
 *   load ─> loaded ─> preload the definitions that residents use ─> rehearse ─> waits to be taken
 *
 * It may be taken at any of these points, and is then what it is. When one that was taken fails and none stands by, the next
 * begins to load before all that its end brings with it: it is the one that will be taken.
 */
import { MessageChannel } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { DefinitionRef } from '../../actors/runtime/define-actor.ts'
import { isStarfishError } from '../../messages/errors.ts'
import type { ResolvedChildSpec } from '../child-spec.ts'
import { kernelFindings } from '../kernel-charts.ts'
import { type ControlPlane, createControlPlane } from './control-call.ts'
import { moduleUrlOf } from './module-url.ts'
import type { ShardBootstrap } from './run-shard.ts'
import type { HostedWorker, WorkerHost } from './worker-host.ts'

/** What workers are started with. */
export interface SparesOptions {
  readonly heapMb: number | undefined
  readonly loadTimeoutMs: number
  readonly logger: Logger
  /** Takes the lines of the workers' logs. */
  readonly relog: (line: string) => void
}

/** A worker with its control plane; it may still load. */
export interface Spare {
  readonly worker: HostedWorker
  readonly control: ControlPlane
}

/** The workers of a system that stand by. */
export class Spares {
  readonly #host: WorkerHost
  readonly #options: SparesOptions
  readonly #standing = new Set<Spare>()
  /** What residents are made of, by module and name. */
  readonly #definitions = new Map<string, DefinitionRef>()
  #workerCount = 0
  #isOver = false

  constructor(host: WorkerHost, options: SparesOptions) {
    this.#host = host
    this.#options = options
  }

  /** Begins to load a worker that will soon be taken. */
  prestart(): void {
    this.#add()
  }

  /** Sees to it that one stands by, and is prepared. */
  keep(): void {
    if (this.#standing.size === 0 && !this.#isOver) void this.#prepare(this.#add())
  }

  /** None is kept any more. */
  keepNoMore(): void {
    this.#isOver = true
  }

  /** The worker that has stood by for the longest; a new one when there is none. */
  take(): Spare {
    const [spare = this.#start()] = this.#standing
    this.#standing.delete(spare)
    void spare.worker.ending.then(({ type }) => {
      if (type !== 'shutdown') this.keep()
    })
    return spare
  }

  /** An actor, or a tree, may come to live on any worker: what stands by loads its definitions too. */
  expect(spec: ResolvedChildSpec): void {
    const fresh: DefinitionRef[] = []
    this.#collect(spec, fresh)
    if (fresh.length === 0) return
    for (const spare of this.#standing) void this.#unlessTaken(spare, () => spare.control.call('preload', [fresh]))
  }

  #collect(spec: ResolvedChildSpec, fresh: DefinitionRef[]): void {
    if (spec.kind === 'supervisor') {
      for (const child of spec.children) this.#collect(child, fresh)
      return
    }
    const { moduleUrl, exportName } = spec.definition
    const key = `${moduleUrl}#${exportName}`
    if (this.#definitions.has(key)) return
    const definition = { moduleUrl, exportName }
    this.#definitions.set(key, definition)
    fresh.push(definition)
  }

  #add(): Spare {
    const spare = this.#start()
    this.#standing.add(spare)
    void spare.worker.ended.then(() => this.#standing.delete(spare))
    return spare
  }

  async #prepare(spare: Spare): Promise<void> {
    await spare.worker.loaded.catch(() => {})
    await this.#unlessTaken(spare, () => spare.control.call('preload', [[...this.#definitions.values()]]))
    await this.#unlessTaken(spare, () => spare.control.call('rehearse', []))
  }

  /** Preparing is a matter of speed: what goes wrong is said, and costs nothing else. */
  async #unlessTaken(spare: Spare, work: () => Promise<unknown>): Promise<void> {
    if (!this.#standing.has(spare)) return
    try {
      await work()
    } catch (error) {
      if (isStarfishError(error, 'SHARD_DIED')) return
      this.#options.logger.warn({ err: error }, 'a worker that stands by could not be prepared')
    }
  }

  #start(): Spare {
    const { heapMb, loadTimeoutMs, logger, relog } = this.#options
    const logs = new MessageChannel()
    logs.port1.on('message', relog)
    logs.port1.unref()
    const bootstrap: ShardBootstrap = { logPort: logs.port2, logLevel: logger.level, findings: kernelFindings() }
    const worker = this.#host.start({
      workerIndex: ++this.#workerCount,
      runnerUrl: moduleUrlOf('./run-shard', import.meta.url),
      bootstrap,
      transfer: [logs.port2],
      ...(heapMb === undefined ? {} : { heapMb }),
      loadTimeoutMs,
    })
    return { worker, control: createControlPlane(worker) }
  }
}
