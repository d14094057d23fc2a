/**
 * Exit reasons between threads: an error crosses through the error codec, the rest as it is.
 */
import { decodeError, type EncodedError, encodeError } from '../error-codec.ts'
import type { ExitReason } from './exit.ts'

/** An {@link ExitReason} as data that survives structured clone. */
export type EncodedExitReason =
  | Exclude<ExitReason, { error: unknown }>
  | { readonly type: 'threw' | 'unhandledRejection' | 'bootstrapFailed'; readonly error: EncodedError }

/** Turns a reason into clonable data; an output that cannot be cloned becomes a description of it. Never throws. */
export function encodeExitReason(reason: ExitReason): EncodedExitReason {
  switch (reason.type) {
    case 'normal':
      return 'output' in reason ? { type: 'normal', output: clonable(reason.output) } : reason
    case 'threw':
    case 'unhandledRejection':
    case 'bootstrapFailed':
      return { type: reason.type, error: encodeError(reason.error) }
    case 'shutdown':
      return mapCulprit(reason, encodeExitReason as (reason: ExitReason) => ExitReason)
    default:
      return reason
  }
}

/** Rebuilds what {@link encodeExitReason} took. */
export function decodeExitReason(encoded: EncodedExitReason): ExitReason {
  switch (encoded.type) {
    case 'threw':
    case 'unhandledRejection':
    case 'bootstrapFailed':
      return { type: encoded.type, error: decodeError(encoded.error) }
    case 'shutdown':
      return mapCulprit(encoded, reason => decodeExitReason(reason as EncodedExitReason))
    default:
      return encoded
  }
}

type Shutdown = Extract<ExitReason, { type: 'shutdown' }>

/** A supervisor that gives up names who made it, and how that one ended: an error may be there, however deep. */
function mapCulprit(shutdown: Shutdown, map: (reason: ExitReason) => ExitReason): Shutdown {
  const { culprit } = shutdown
  return culprit === undefined ? shutdown : { ...shutdown, culprit: { ...culprit, reason: map(culprit.reason) } }
}

function clonable(output: unknown): unknown {
  try {
    return structuredClone(output)
  } catch {
    return decodeError(encodeError(output))
  }
}
