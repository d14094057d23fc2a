/**
 * Calls to a shard's control plane that always settle: Comlink's own never do when the worker dies.
 */
import { releaseProxy, wrap } from 'comlink'
import { decodeError } from '../../messages/error-codec.ts'
import { StarfishError } from '../../messages/errors.ts'
import { nodeEndpoint } from './node-endpoint.ts'
import type { Answered, ShardControl } from './shard-control.ts'
import type { HostedWorker } from './worker-host.ts'

type ValueOf<A> = Awaited<A> extends Answered<infer T> ? T : never

/** The main thread's side of a shard's control plane. */
export interface ControlPlane {
  /** The shard that the worker is, once it is one: what errors name. */
  shard: number | undefined
  /**
   * Calls a method; rejects with its error, with NOT_CLONABLE, SHARD_DIED, or with CONTROL_TIMEOUT after `timeoutMs`
   * ({@link controlTimeoutMs} by default, `Infinity` for none).
   */
  call<M extends keyof ShardControl>(
    method: M,
    args: Parameters<ShardControl[M]>,
    timeoutMs?: number,
  ): Promise<ValueOf<ReturnType<ShardControl[M]>>>
}

/** How long a control call may take unless it says otherwise, ms. */
export const controlTimeoutMs = 10_000

type Remote = Record<string, (...args: unknown[]) => Promise<Answered<unknown>>> & { [releaseProxy](): void }

/** Creates the main thread's side. */
export function createControlPlane(worker: HostedWorker): ControlPlane {
  const remote = wrap<ShardControl>(nodeEndpoint(worker.port)) as unknown as Remote
  const open = new Set<(error: StarfishError) => void>()
  let ended: StarfishError | undefined
  void worker.ended.then(({ reason }) => {
    const { shard } = plane
    ended = new StarfishError('SHARD_DIED', `${nameOf(shard)} ended (${reason.type})`, {
      details: { shard, reason: reason.type },
      handled: 'unknown',
    })
    for (const reject of open) reject(ended)
    open.clear()
    // Comlink would keep the calls that are not answered any more, and all that waits for them, as long as the process lives.
    remote[releaseProxy]()
  })

  function race(method: string, call: () => Promise<Answered<unknown>>, timeoutMs: number): Promise<Answered<unknown>> {
    return new Promise((resolve, reject) => {
      if (ended !== undefined) {
        reject(ended)
        return
      }
      const fail = (error: unknown): void => {
        clearTimeout(timer)
        open.delete(fail)
        reject(error)
      }
      const timer =
        timeoutMs === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => fail(timeoutError(plane.shard, method, timeoutMs)), timeoutMs)
      open.add(fail)
      call().then(
        answer => {
          clearTimeout(timer)
          open.delete(fail)
          resolve(answer)
        },
        (error: unknown) => fail(isCloneError(error) ? notClonableError(method, error) : error),
      )
    })
  }

  const plane: ControlPlane = {
    shard: undefined,
    async call(method, args, timeoutMs = controlTimeoutMs) {
      const answer = await race(method, () => remote[method]!(...args), timeoutMs)
      if ('error' in answer) throw decodeError(answer.error)
      return answer.value as never
    },
  }
  return plane
}

function nameOf(shard: number | undefined): string {
  return shard === undefined ? 'a worker that stands by' : `shard ${shard}`
}

function isCloneError(error: unknown): error is DOMException {
  return error instanceof DOMException && error.name === 'DataCloneError'
}

function notClonableError(method: string, cause: DOMException): StarfishError {
  const text = `what ${method} is to do cannot be copied to another thread: ${cause.message}`
  return new StarfishError('NOT_CLONABLE', text, { details: { method }, handled: 'no', cause })
}

function timeoutError(shard: number | undefined, method: string, timeoutMs: number): StarfishError {
  return new StarfishError('CONTROL_TIMEOUT', `${nameOf(shard)} did not answer ${method} within ${timeoutMs} ms`, {
    details: { shard, method, timeoutMs },
    handled: 'unknown',
  })
}
