/**
 * A server of framed messages on all shards of a system, whatever its protocol: what the event server, the log server and
 * their like are made of.
 *
 *   supervisor <id> on the main thread (one_for_one)
 *     ├─ <id>/listener    main thread, with `accept: 'handoff'` only
 *     ├─ <id>/s<i>        the acceptor of shard i, and below it its connections
 *     └─ …                what else the server has at its port
 */
import { threadId } from 'node:worker_threads'
import {
  type AcceptorInput,
  type AcceptorOptions,
  resolveAcceptorInput,
  shutdownMarginMs,
} from '../actors/acceptor/config.ts'
import { createServerCounters, readServerCounters, type ServerFigures } from '../actors/acceptor/counters.ts'
import { probeAddress } from '../actors/acceptor/probe.ts'
import { type ActorSpec, child } from '../actors/runtime/child.ts'
import { type PortDetails, portInUse } from '../actors/serving/listen-error.ts'
import { isStarfishError, StarfishError } from '../messages/errors.ts'
import type { ActorExit } from '../messages/thread/exit.ts'
import type { SupervisorRef } from '../supervisor/supervisor-ref.ts'
import type { System } from '../supervisor/system.ts'
import { acceptor, handoffListener } from './acceptors.ts'

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/** A server. Create, `start`, and in the end `stop`; `await using` stops it. `F` are figures of its own. */
export interface FrameServer<F = object> extends AsyncDisposable {
  /**
   * Probes the address alone, then listens on every shard; answers where. Rejects with PORT_IN_USE or LISTEN_FAILED, both
   * naming host and port, with DUPLICATE_ADDRESS when the system has an actor of the server's id, with BAD_CONFIG when it
   * runs already, when its id names it as a child of another actor, or when its protocol cannot be built, or with
   * DEFINITION_NOT_FOUND. May be called again after `stop`: with `port: 0` it listens at another port.
   */
  start(): Promise<ServerAddress>
  /**
   * Stops accepting, answers what has been received, closes, and destroys what is still open after
   * `limits.drainTimeoutMs`; settles when all is closed.
   */
  drain(): Promise<void>
  /** Drains; one that does not run is left alone. */
  stop(): Promise<void>
  /** How the shards come by their connections: as asked for, or what `auto` chose. */
  readonly accept: AcceptorInput['accept']
  /** Undefined before `start`. */
  readonly address: ServerAddress | undefined
  /** The supervisor of the server; undefined before `start`. */
  readonly ref: SupervisorRef | undefined
  /** Counts over all shards. */
  stats(): ServerFigures & F
  /** Settles when the server ended though nobody stopped it: its restart budget is spent. */
  readonly failed: Promise<ActorExit>
}

const bindAnswerMs = 30_000

/** The servers of this process that listen: what one is told that finds its address taken. */
const listening = new Set<{ readonly id: string; readonly address: ServerAddress }>()

/** What a server has at its port besides the acceptors. */
export interface PortSharers {
  /** Rejects with `PORT_IN_USE` or `LISTEN_FAILED` unless the address is free for them too. */
  probe(host: string, port: number): Promise<void>
  /** Children of the server's supervisor; the port is the one that was found. */
  children(input: AcceptorInput): readonly ActorSpec[]
  /** Settles when all have bound. */
  whenBound(timeoutMs: number): Promise<unknown>
  /** Settles when all have drained, or cannot. */
  drain(timeoutMs: number): Promise<unknown>
}

/** What a server has besides its acceptors. */
export interface ServerParts<F> {
  /** Looks at whatever can be found wrong before anything is started; what it rejects with, `start` does. */
  check(): Promise<void>
  /** Children of the server's supervisor that are started before the acceptors, and stopped after them. */
  readonly before: readonly ActorSpec[]
  /** Settles when those serve; the server is not started before. */
  whenReady(): Promise<unknown>
  readonly sharers: PortSharers | undefined
  figures(): F
}

const noParts: ServerParts<object> = {
  check: async () => {},
  before: [],
  whenReady: async () => {},
  sharers: undefined,
  figures: () => ({}),
}

/** Creates a server; it does not listen yet. Throws BAD_CONFIG for options that cannot be used. */
export function createFrameServer(system: System, id: string, options: AcceptorOptions): FrameServer
export function createFrameServer<F>(
  system: System,
  id: string,
  options: AcceptorOptions,
  parts: ServerParts<F>,
): FrameServer<F>
export function createFrameServer(
  system: System,
  id: string,
  options: AcceptorOptions,
  parts: ServerParts<object> = noParts,
): FrameServer {
  const slots = Math.max(1, system.shards)
  const counters = createServerCounters(slots, Math.floor(Math.random() * 2 ** 32))
  const input = resolveAcceptorInput(options, {
    shards: system.shards,
    platform: process.platform,
    handoff: { threadId, listener: id },
    counters,
  })
  const failed = Promise.withResolvers<ActorExit>()
  let address: ServerAddress | undefined
  let ref: SupervisorRef | undefined
  let started: Promise<ServerAddress> | undefined
  let stopped = Promise.resolve()

  async function start(): Promise<ServerAddress> {
    if (started !== undefined) {
      throw new StarfishError('BAD_CONFIG', `the server ${id} runs already`, { details: { id } })
    }
    started = stopped.then(begin)
    started.catch(() => {
      started = undefined
    })
    return started
  }

  async function begin(): Promise<ServerAddress> {
    await checkId(system, id)
    await parts.check()
    const port = await findPort(input, parts.sharers).catch(error => {
      throw namingServer(error)
    })
    const bound = { ...input, port }
    const acceptors = childrenOf(bound, system.shards)
    const children = [...parts.before, ...acceptors, ...(parts.sharers?.children(bound) ?? [])]
    const tree = await system.supervise({
      id,
      strategy: 'one_for_one',
      intensity: 3 * children.length,
      periodMs: 5_000,
      children,
    })
    try {
      // All at once: who has a reason to end tells it before the supervisor has given up on all.
      await Promise.all([
        parts.whenReady(),
        ...acceptors.map(child =>
          system.ref(acceptor, `${id}/${child.id}`).ask({ type: 'acceptor.whenBound' }, { timeoutMs: bindAnswerMs }),
        ),
        parts.sharers?.whenBound(bindAnswerMs),
      ])
    } catch (error) {
      await tree.stop()
      throw bindError(error)
    }
    ref = tree
    address = { host: input.host, port }
    const listed = { id, address }
    listening.add(listed)
    watchTree(system, id, failure => {
      listening.delete(listed)
      if (ref !== tree) return
      started = undefined
      if (failure !== undefined) failed.resolve(failure)
    })
    return address
  }

  /** One that is just starting is stopped when it has; who asks again waits for the same end. */
  function drain(): Promise<void> {
    const starting = started
    if (starting === undefined) return stopped
    started = undefined
    stopped = starting.then(end, () => {})
    return stopped
  }

  async function end(): Promise<void> {
    const tree = ref
    ref = undefined
    if (tree === undefined) return
    await drainAll()
    await tree.stop()
    address = undefined
  }

  /** All at once: the supervisor would stop one after the other. Who cannot answer is left to it. */
  async function drainAll(): Promise<void> {
    const timeoutMs = input.limits.drainTimeoutMs + shutdownMarginMs
    const drained = childrenOf(input, system.shards).map(async child => {
      const ref = system.ref(acceptor, `${id}/${child.id}`)
      ref.send({ type: 'acceptor.drain' })
      await ref.ask({ type: 'acceptor.whenDrained' }, { timeoutMs })
    })
    await Promise.allSettled([...drained, parts.sharers?.drain(timeoutMs)])
  }

  return {
    start,
    drain,
    stop: drain,
    accept: input.accept,
    get address() {
      return address
    },
    get ref() {
      return ref
    },
    stats: () => ({ ...readServerCounters(counters), ...parts.figures() }),
    failed: failed.promise,
    [Symbol.asyncDispose]: drain,
  }
}

/** How many numbers are tried for port 0 until one is free for all that share it. */
const portTriesMax = 32

/** The port that was asked for, or a free one; both free for `sharers` too. */
async function findPort({ host, port }: AcceptorInput, sharers: PortSharers | undefined): Promise<number> {
  for (let tries = 1; ; tries++) {
    const found = await probeAddress(host, port)
    try {
      await sharers?.probe(host, found)
      return found
    } catch (error) {
      if (port !== 0 || tries === portTriesMax || !isStarfishError(error, 'PORT_IN_USE')) throw error
    }
  }
}

function childrenOf(input: AcceptorInput, shards: number): readonly ActorSpec[] {
  const common = { input, shutdown: input.limits.drainTimeoutMs + shutdownMarginMs }
  const acceptors = Array.from({ length: Math.max(1, shards) }, (_, shard) =>
    child(acceptor, { ...common, id: `s${shard}`, shard: shards === 0 ? 'main' : shard }),
  )
  const listener = child(handoffListener, { ...common, id: 'listener', shard: 'main' })
  return input.accept === 'handoff' ? [listener, ...acceptors] : acceptors
}

/**
 * An id that is taken is worth its own error: with the address of the other server the probe would find only that. One that
 * makes the server look like a child of somebody is refused too: a server is a tree of its own.
 */
async function checkId(system: System, id: string): Promise<void> {
  for (let end = id.indexOf('/'); end >= 0; end = id.indexOf('/', end + 1)) {
    const parent = id.slice(0, end)
    if (!(await isTaken(system, parent))) continue
    const text = `the server ${id} would look like a child of ${parent}, and is a tree of its own: give it an id of its own`
    throw new StarfishError('BAD_CONFIG', text, { details: { option: 'id', id, parent } })
  }
  if (!(await isTaken(system, id))) return
  const message = `the system has an actor '${id}' already: give this server an id of its own`
  throw new StarfishError('DUPLICATE_ADDRESS', message, { details: { address: id } })
}

async function isTaken(system: System, address: string): Promise<boolean> {
  const [first] = await system.tree({ under: address, limit: 1 })
  return first?.address === address
}

/** The error of a probe, with the name of the server where it is one of this process. */
function namingServer(error: unknown): unknown {
  if (!isStarfishError(error, 'PORT_IN_USE') || error.details['pid'] !== process.pid) return error
  const details = error.details as unknown as PortDetails
  const owner = [...listening].find(({ address }) => address.port === details.port)
  return owner === undefined ? error : portInUse(`the server '${owner.id}' of this process`, details, error.cause)
}

/**
 * Calls `gone` when the tree has ended for good, with its exit unless it was stopped; one that its supervisor restarts is
 * watched again.
 */
function watchTree(system: System, id: string, gone: (failure: ActorExit | undefined) => void): void {
  let last: ActorExit | undefined
  const look = (exit: ActorExit): void => {
    const isOver = exit.reason.type === 'noproc' || exit.incarnation === last?.incarnation
    // Stopped, by whomever: no failure. One that gave up says so in the detail.
    if (exit.reason.type === 'shutdown' && exit.reason.detail === undefined) gone(undefined)
    else if (isOver) gone(last ?? exit)
    else {
      last = exit
      setImmediate(() => system.watch(id, look))
    }
  }
  system.watch(id, look)
}

/** The acceptor's own reason, where it died of it: an address that cannot be had, a protocol that cannot be built. */
function bindError(error: unknown): unknown {
  const cause = isStarfishError(error, 'ACTOR_DIED') ? error.cause : undefined
  const codes = ['PORT_IN_USE', 'LISTEN_FAILED', 'BAD_CONFIG', 'DEFINITION_NOT_FOUND'] as const
  return codes.some(code => isStarfishError(cause, code)) ? cause : error
}
