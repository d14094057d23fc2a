/** The log server: the protocol of the message log over TCP on every shard, and one store behind all of them. */
import { child } from '../actors/runtime/child.ts'
import { referenceTo } from '../actors/runtime/import-definition.ts'
import { protocolReference } from '../actors/serving/protocol.ts'
import { createAdvances } from '../protocols/message-log/engine/advances.ts'
import { logEngineKind } from '../protocols/message-log/engine/define-log-engine.ts'
import { type LogFigures, logFigures } from '../protocols/message-log/log-figures.ts'
import type { LogServiceOptions } from '../protocols/message-log/log-options.ts'
import { logProtocol } from '../protocols/message-log/log-protocol.ts'
import type { StoreInput } from '../protocols/message-log/owner/config.ts'
import { logStore } from '../protocols/message-log/owner/log-store.ts'
import { checkImportable } from '../supervisor/definition-check.ts'
import { internalsOf, type System } from '../supervisor/system.ts'
import { createFrameServer, type FrameServer } from './frame-server.ts'
import { type LogServerOptions, resolveLogServer } from './log-server-options.ts'

/** Figures of a log server. */
export interface LogServerFigures {
  readonly log: LogFigures
}

/** A log server. */
export type LogServer = FrameServer<LogServerFigures>

/** The owner's own queue is bounded by what the shards may have in flight. */
const storeMailbox = { messagesMax: 1_000_000 }

/**
 * Creates a log server; it does not open its store and does not listen before `start`, which rejects with what is wrong with
 * the engine's definition (DEFINITION_IN_ENTRY, DEFINITION_NOT_FOUND) before anything is started, and with what the store
 * cannot be opened for (STORAGE_FAILED, BAD_CONFIG). Throws BAD_CONFIG for all options that cannot be used.
 *
 *   supervisor <id> on the main thread (one_for_one)
 *     ├─ <id>/store       on a shard of its own: the only one that writes the store
 *     └─ …                the acceptors, as in every frame server
 *
 * @example
 * const log = createLogServer(system, { port: 7401, engine: sqliteLogEngine.with({ path: './data/log.db' }) })
 * await log.start()
 */
export function createLogServer(system: System, options: LogServerOptions): LogServer {
  internalsOf(system, 'createLogServer')
  const { id, engine, retention, retentionIntervalMs, openTimeoutMs, log, limits, listener } = resolveLogServer(options)
  const store = `${id}/store`
  const advances = createAdvances()
  const reference = { ...referenceTo(engine.definition), options: engine.options }
  const figures = logFigures.create(1 + Math.max(1, system.shards))
  const { partitionsMax, frameBytesMax } = log
  const topicRoom = { partitionsMax, frameBytesMax }
  const input: StoreInput = { engine: reference, advances, figures, retention, retentionIntervalMs, topicRoom }
  const service: LogServiceOptions = { ...log, store, engine: reference, advances, figures }
  const served = { ...listener, limits, protocol: protocolReference(logProtocol, service) }
  return createFrameServer<LogServerFigures>(system, id, served, {
    async check() {
      await checkImportable(engine.definition, logEngineKind)
      await engine.definition.opener.probe?.(engine.options as never)
    },
    before: [
      child(logStore, {
        id: 'store',
        shard: 'own',
        input,
        initTimeoutMs: openTimeoutMs,
        shutdown: limits.drainTimeoutMs,
        mailbox: storeMailbox,
      }),
    ],
    // The supervisor has started it, store and all.
    whenReady: async () => {},
    sharers: undefined,
    figures: () => ({ log: logFigures.read(figures) }),
  })
}
