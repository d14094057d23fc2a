/**
 * The event server: the event protocol over TCP on every shard, with the built-in commands echo (0) and ping (1), and
 * those of its user.
 */
import type { AcceptorOptions } from '../actors/acceptor/config.ts'
import type { DefinitionRef } from '../actors/runtime/import-definition.ts'
import { protocolReference } from '../actors/serving/protocol.ts'
import { type ServerLimits, serverLimitDefaults } from '../messages/limits.ts'
import { type CommandsDefinition, commandsKind } from '../protocols/event/commands.ts'
import { type BoundEventProtocol, eventProtocolKind } from '../protocols/event/dialect.ts'
import {
  badOption,
  type EventProtocolOptions,
  type FilledEventOptions,
  resolveEventOptions,
} from '../protocols/event/event-options.ts'
import { eventProtocol } from '../protocols/event/event-protocol.ts'
import { checkImportable } from '../supervisor/definition-check.ts'
import type { System } from '../supervisor/system.ts'
import { createFrameServer, type FrameServer } from './frame-server.ts'

/**
 * Options of {@link createEventServer}. Left out, `limits.drainTimeoutMs` and `limits.handlerTimeoutMs` are at least a
 * second longer than `commandTimeoutMs`, and `limits.outputBytesMax` has room for an answer of `replyBytesMax`.
 */
export interface EventServerOptions extends Omit<AcceptorOptions, 'protocol'>, EventProtocolOptions {
  /** Address of the server's supervisor. `events` by default. */
  readonly id?: string
  /** Commands besides echo and ping, of `defineCommands`. None by default. */
  readonly commands?: CommandsDefinition
  /** Headers, validation and cryptography, of `defineEventProtocol`. Version 1 by default. */
  readonly protocol?: BoundEventProtocol
}

/**
 * Creates an event server; it does not listen before `start`, which rejects with what is wrong with the definitions of its
 * commands and its protocol (DEFINITION_IN_ENTRY, DEFINITION_NOT_FOUND) before anything listens. Throws BAD_CONFIG for
 * options that cannot be used.
 */
export function createEventServer(system: System, options: EventServerOptions): FrameServer {
  const { id = 'events', commands, protocol, limits, ...rest } = options
  const filled = resolveEventOptions(rest)
  if (commands !== undefined && !commandsKind.is(commands)) {
    throw badOption('commands', commands, 'what defineCommands returns')
  }
  if (protocol !== undefined && !eventProtocolKind.is(protocol.definition)) {
    throw badOption('protocol', protocol, 'what with(options) of defineEventProtocol returns')
  }
  const service = {
    ...filled,
    ...(commands === undefined ? {} : { commands: referenceTo(commands) }),
    ...(protocol === undefined ? {} : { dialect: { ...referenceTo(protocol.definition), options: protocol.options } }),
  }
  const served = {
    ...rest,
    limits: { ...limitsFor(filled), ...limits },
    protocol: protocolReference(eventProtocol, service),
  }
  return createFrameServer(system, id, served, {
    async check() {
      if (commands !== undefined) await checkImportable(commands, commandsKind)
      if (protocol !== undefined) await checkImportable(protocol.definition, eventProtocolKind)
    },
  })
}

const marginMs = 1_000

/** Limits that give every command its time, and the largest answer its room. */
function limitsFor({ commandTimeoutMs, replyBytesMax }: FilledEventOptions): Partial<ServerLimits> {
  const { handlerTimeoutMs, drainTimeoutMs, outputBytesMax, outputHighWaterBytes } = serverLimitDefaults
  return {
    handlerTimeoutMs: Math.max(handlerTimeoutMs, commandTimeoutMs + marginMs),
    drainTimeoutMs: Math.max(drainTimeoutMs, commandTimeoutMs + marginMs),
    outputBytesMax: Math.max(outputBytesMax, replyBytesMax + outputHighWaterBytes),
  }
}

function referenceTo({ moduleUrl, exportName }: DefinitionRef): DefinitionRef {
  return { moduleUrl, exportName }
}
