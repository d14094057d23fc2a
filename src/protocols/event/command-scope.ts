/** What a handler is handed: its request, its context, and what becomes of what it returns. */
import type { ActorLogger, ActorRuntime } from '../../actors/runtime/actor-runtime.ts'
import type { AnyActorDefinition } from '../../actors/runtime/define-actor.ts'
import { TypedAddress } from '../../actors/runtime/typed-address.ts'
import type { CommandContext, CommandRequest } from './commands.ts'
import type { EventCall } from './event-call.ts'

/** The part of a handler's context that all requests of a thread share. */
export type CommandReach = Omit<CommandContext, 'signal'>

/** What commands can reach in the name of `actor`. */
export function createCommandReach(actor: Pick<ActorRuntime, 'send' | 'ask'>, log: ActorLogger): CommandReach {
  return {
    send: (to, event) => actor.send(to, event),
    ask: (to, event, options) => actor.ask(to, event, options),
    ref: <D extends AnyActorDefinition>(definition: D, address: string) => new TypedAddress(actor, definition, address),
    log,
  }
}

/** The request that `call` stands for, with a body of its own: in no buffer that others use, so that it can be transferred. */
export function requestOf(call: EventCall, raidaId: number): CommandRequest {
  const { command, sessionId, peerAddress, transport, bytes, bodyStart, bodyEnd } = call
  const body = new Uint8Array(bodyEnd - bodyStart)
  body.set(bytes.subarray(bodyStart, bodyEnd))
  return { command, sessionId, raidaId, peerAddress, transport, body }
}

const nothing = new Uint8Array(0)
const encoder = new TextEncoder()

/** How long an answer may be, and which option says so. */
export interface AnswerRoom {
  readonly bytesMax: number
  readonly option: string
}

/** The body of an answer. Throws a TypeError for what no handler may answer, a RangeError for more than there is room for. */
export function bodyOfResult(result: unknown, { bytesMax, option }: AnswerRoom): Uint8Array {
  const body = result === undefined ? nothing : typeof result === 'string' ? encoder.encode(result) : result
  if (!(body instanceof Uint8Array)) {
    throw new TypeError(`a command answers a Uint8Array, a string or undefined, not ${describe(body)}`)
  }
  if (body.length <= bytesMax) return body
  throw new RangeError(`an answer of ${body.length} bytes is over the ${bytesMax} that ${option} leaves for it`)
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? Object.prototype.toString.call(value) : typeof value
}
