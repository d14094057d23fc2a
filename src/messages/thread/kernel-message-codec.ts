/**
 * Kernel messages between threads: errors keep their fields, and what cannot be cloned is left out of black boxes.
 */
import type { ActorExit } from './exit.ts'
import { decodeExitReason, type EncodedExitReason, encodeExitReason } from './exit-codec.ts'
import type { Fact } from './fact.ts'
import type { KernelMessage } from './kernel-message.ts'
import { plainCopy } from './plain-copy.ts'

/** The message as data that survives structured clone. Exits and reasons inside it are encoded in place. */
export function encodeKernelMessage(message: KernelMessage): KernelMessage {
  return mapReasons(message, encodeExitReason as (reason: ActorExit['reason']) => never, encodeExit)
}

/** Rebuilds what {@link encodeKernelMessage} took. */
export function decodeKernelMessage(message: KernelMessage): KernelMessage {
  return mapReasons(message, reason => decodeExitReason(reason as EncodedExitReason), decodeExit)
}

/**
 * An encoded message that cannot be copied as it is, without what users put into it and is to blame (an event of a black
 * box, an output); undefined for one that is worth nothing without, as a checkpoint is.
 */
export function simplifyKernelMessage(message: KernelMessage): KernelMessage | undefined {
  return message.type === 'kernel.checkpoint' ? undefined : (plainCopy(message) as KernelMessage)
}

type MapReason = (reason: ActorExit['reason']) => ActorExit['reason']
type MapExit = (exit: ActorExit) => ActorExit

function mapReasons(message: KernelMessage, mapReason: MapReason, mapExit: MapExit): KernelMessage {
  switch (message.type) {
    case 'kernel.shardLost':
      return { ...message, reason: mapReason(message.reason) }
    case 'kernel.exited':
      return { ...message, exit: mapExit(message.exit) }
    case 'kernel.childFact': {
      const { fact } = message
      if (fact.type === 'child.exited') return { ...message, fact: { ...fact, exit: mapExit(fact.exit) } }
      if (fact.type === 'child.startFailed') return { ...message, fact: { ...fact, reason: mapReason(fact.reason) } }
      return message
    }
    case 'kernel.facts':
      return { ...message, facts: message.facts.map(fact => mapFact(fact, mapExit)) }
    default:
      return message
  }
}

function mapFact(fact: Fact, mapExit: MapExit): Fact {
  return fact.kind === 'exit' ? { ...fact, exit: mapExit(fact.exit) } : fact
}

function encodeExit(exit: ActorExit): ActorExit {
  const reason = encodeExitReason(exit.reason) as ActorExit['reason']
  return { ...exit, reason, lastEvents: exit.lastEvents.map(clonableEntry) }
}

function decodeExit(exit: ActorExit): ActorExit {
  return { ...exit, reason: decodeExitReason(exit.reason as EncodedExitReason) }
}

function clonableEntry(entry: ActorExit['lastEvents'][number]): ActorExit['lastEvents'][number] {
  try {
    return structuredClone(entry)
  } catch {
    const { event: _event, ...rest } = entry
    return rest
  }
}
