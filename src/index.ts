/** Starfish: a supervised network layer for Node.js. The public interface; other entries are subpaths of the package. */
import './check-node.js'

export type { ServerFigures } from './actors/acceptor/counters.ts'
export type { UdpOptions } from './actors/datagram/config.ts'
export type { DatagramFigures } from './actors/datagram/figures.ts'
export type { ActorEvent, ActorLogger, ActorRuntime, AskOptions, OwnExit } from './actors/runtime/actor-runtime.ts'
export { type CompileOptions, compileChart } from './actors/runtime/chart-compiler/compile-chart.ts'
export {
  type ActorChildOptions,
  type ActorSpec,
  type BackoffOptions,
  child,
  type Placement,
  type Restart,
  type Shutdown,
} from './actors/runtime/child.ts'
export {
  type Clock,
  createRandom,
  createVirtualClock,
  type Random,
  systemClock,
  type TimerHandle,
  type VirtualClock,
} from './actors/runtime/clock.ts'
export type { ChartInstance, ChartTimers, CompiledChart, PersistedChart } from './actors/runtime/compiled-chart.ts'
export {
  type ActorDefinition,
  type ActorOptions,
  type AnyActorDefinition,
  defineActor,
  type EventsOf,
  type InitResult,
  type InputOf,
} from './actors/runtime/define-actor.ts'
export type { MailboxOptions, Overflow } from './actors/runtime/mailbox-options.ts'
export type { CommandsOf, ReplyOf, Request, RequestsOf } from './actors/runtime/requests.ts'
export {
  cancelSend,
  join,
  leave,
  message,
  postpone,
  type ReplyToken,
  rejectTo,
  reply,
  replyTo,
  replyToken,
  runtimeOf,
  send,
  sendAfter,
  spawn,
  stop,
  unwatch,
  watch,
} from './actors/runtime/runtime-actions.ts'
export type { TypedAddress } from './actors/runtime/typed-address.ts'
export type { RefusalKind } from './actors/serving/refusals.ts'
export type { TaskPoolOptions } from './actors/task-pool/config.ts'
export type { TaskPoolFigures } from './actors/task-pool/figures.ts'
export { createLogger, type Logger, type LoggerOptions } from './logger.ts'
export { type ErrorCode, errorCodes, type Handled, isStarfishError, StarfishError } from './messages/errors.ts'
export type { EventResponse } from './messages/event/response-v1.ts'
export type { EventStatus, EventStatusName } from './messages/event/status.ts'
export type { Acknowledgement } from './messages/log/codes.ts'
export type { LongPoll } from './messages/log/fetch-v1.ts'
export type { LogTopic } from './messages/log/list-topics-v1.ts'
export type { PartialBatch, ProduceResponse } from './messages/log/produce-v1.ts'
export type { EventCodec, EventReader, EventWriter } from './messages/thread/event-codec.ts'
export {
  type ActorExit,
  type BlackBoxEntry,
  type ExitCulprit,
  type ExitReason,
  type ExitType,
  isAbnormal,
} from './messages/thread/exit.ts'
export type {
  DeadLetter,
  EdgeAccount,
  Fact,
  FactFilter,
  FactKind,
  RestoredFrom,
  ShardEvent,
} from './messages/thread/fact.ts'
export { type AesGcmOptions, aesGcmBodies, aesGcmProtocol } from './protocols/event/aes-gcm.ts'
export {
  type Command,
  type CommandContext,
  type CommandRequest,
  type CommandResult,
  type CommandsDefinition,
  type CommandTable,
  defineCommands,
} from './protocols/event/commands.ts'
export {
  type BodySeal,
  type BoundEventProtocol,
  defineEventProtocol,
  type EventDialect,
  type EventProtocolDefinition,
} from './protocols/event/dialect.ts'
export { dialectV1 } from './protocols/event/dialect-v1.ts'
export type { EventTransport } from './protocols/event/event-call.ts'
export { eventFailure, type FailureStatus } from './protocols/event/event-failure.ts'
export { Advances, createAdvances, whenAdvanced } from './protocols/message-log/engine/advances.ts'
export {
  type AppendRequest,
  type AppendResult,
  type AppendSink,
  keptAnswersMax,
  type LogEngine,
  type LogEngineContext,
  type LogReader,
  type MaybeAsync,
  type MeasureResult,
  type ProducerSequence,
  type ReadResult,
  type RetentionPolicy,
  type RetentionResult,
  type StorageFault,
  type StoredBatch,
  type Topic,
  topicLimits,
} from './protocols/message-log/engine/contract.ts'
export {
  type BoundLogEngine,
  defineLogEngine,
  type LogEngineDefinition,
  type LogEngineOpener,
} from './protocols/message-log/engine/define-log-engine.ts'
export type { JetstreamLogOptions } from './protocols/message-log/engine/jetstream/config.ts'
export { jetstreamLogEngine } from './protocols/message-log/engine/jetstream/jetstream-log-engine.ts'
export { memoryLogEngine } from './protocols/message-log/engine/memory/memory-engine.ts'
export type { SqliteLogOptions } from './protocols/message-log/engine/sqlite/config.ts'
export { sqliteLogEngine } from './protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
export type { LogFigures } from './protocols/message-log/log-figures.ts'
export { connection } from './services/acceptors.ts'
export type { ServerOption, ServersOption } from './services/clients/client-options.ts'
export type { ClientFigures, PooledServerFigures } from './services/clients/connection-pool.ts'
export type {
  EventClientOptions,
  EventClientTcpOptions,
  EventClientUdpOptions,
  EventRequestOptions,
  ResendOptions,
} from './services/clients/event/event-client-options.ts'
export type { EventAnswer } from './services/clients/event/pending-event.ts'
export type { FailureRecord } from './services/clients/failure-record.ts'
export type { ConsumedBatch } from './services/clients/log/consumer/consumed-batch.ts'
export type { ConsumeFrom, ConsumerOptions, OutOfRange } from './services/clients/log/consumer/consumer-options.ts'
export type { LogConsumer } from './services/clients/log/consumer/log-consumer.ts'
export type { PartitionFigures } from './services/clients/log/consumer/reading.ts'
export type { FetchOptions, FetchResult, LongPollOptions } from './services/clients/log/fetch-messages.ts'
export type { LogClientOptions } from './services/clients/log/log-client-options.ts'
export type { LogRequestOptions } from './services/clients/log/log-requests.ts'
export type { ConsumedMessage, MessageBody, ProducerMessage } from './services/clients/log/message.ts'
export type { ProduceOptions } from './services/clients/log/produce-messages.ts'
export type { SentMessage } from './services/clients/log/producer/delivery.ts'
export type { LogProducer, Sending } from './services/clients/log/producer/log-producer.ts'
export type { ProducerOptions } from './services/clients/log/producer/producer-options.ts'
export type { ProducerFigures } from './services/clients/log/producer/send-desk.ts'
export type { PoolOptions } from './services/clients/pool-options.ts'
export type { RetryOptions } from './services/clients/retry-policy.ts'
export {
  createEventClient,
  type EventClient,
  type Pong,
} from './services/event-client.ts'
export {
  createEventServer,
  type EventServer,
  type EventServerFigures,
} from './services/event-server.ts'
export type { EventServerOptions } from './services/event-server-options.ts'
export type { FrameServer, ServerAddress } from './services/frame-server.ts'
export {
  createLogClient,
  type LogClient,
} from './services/log-client.ts'
export { createLogServer, type LogServer, type LogServerFigures } from './services/log-server.ts'
export type { LogRetentionOptions, LogServerOptions } from './services/log-server-options.ts'
export type { ActorRef, Addressed } from './supervisor/actor-ref.ts'
export type { ChildCounts, ChildEntry, StartedChild } from './supervisor/child-host.ts'
export type {
  AutoShutdown,
  ChildSpec,
  Strategy,
  SupervisorSpec,
  TreeSpec,
} from './supervisor/child-spec.ts'
export type { Group } from './supervisor/group.ts'
export type { Inspection, InspectOptions } from './supervisor/inspection.ts'
export type { ActorDetails, ActorSummary, TreeQuery } from './supervisor/kernel/actor-summary.ts'
export type { DeadLetterCounts, DeadLetterReport } from './supervisor/kernel/dead-letters.ts'
export type { SupervisorRef } from './supervisor/supervisor-ref.ts'
export { createSystem, type SpawnOptions, type System } from './supervisor/system.ts'
export type { SystemOptions } from './supervisor/system-options.ts'
