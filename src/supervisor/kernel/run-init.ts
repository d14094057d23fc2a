/**
 * The `init` of a definition: it may decline, fail, or take too long.
 */
import type { ActorRuntime } from '../../actors/runtime/actor-runtime.ts'
import type { Clock } from '../../actors/runtime/clock.ts'
import type { AnyActorDefinition } from '../../actors/runtime/define-actor.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import type { ResolvedChildSpec } from '../child-spec.ts'

/** What came of an `init`. */
export type InitOutcome = 'start' | 'ignore' | ExitReason

/** Runs the init of a definition, if it has one, and calls `done` once; before it returns when nothing is asynchronous. */
export function runInit(
  clock: Clock,
  definition: AnyActorDefinition,
  spec: ResolvedChildSpec,
  runtime: ActorRuntime,
  done: (outcome: InitOutcome) => void,
): void {
  const { init } = definition.options
  if (init === undefined || spec.kind === 'supervisor') {
    done('start')
    return
  }
  let result: ReturnType<typeof init>
  try {
    result = init(spec.input, runtime)
  } catch (error) {
    done({ type: 'bootstrapFailed', error })
    return
  }
  if (!(result instanceof Promise)) {
    done(result ?? 'start')
    return
  }
  const { initTimeoutMs } = spec
  const timer = clock.setTimeout(() => done({ type: 'initTimedOut', afterMs: initTimeoutMs }), initTimeoutMs)
  result
    .then(
      outcome => done(outcome ?? 'start'),
      (error: unknown) => done({ type: 'bootstrapFailed', error }),
    )
    .finally(() => clock.clearTimeout(timer))
}
