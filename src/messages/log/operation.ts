/** What a file of an operation exports: the codecs of one type in one version, both directions. */
import type { KnownSum } from '../wire/crc32-join.ts'
import { type LogErrorCode, type LogStatus, logError, logStatus } from './codes.ts'
import type { PayloadReader } from './payload-reader.ts'

/** How a response that is no error ended. */
export interface LogOutcome {
  readonly status: LogStatus
  /** `none` with status ok; with status partial why the rest was not done. A newer server may know more than we. */
  readonly errorCode: number
}

/** Done. */
export const logOk: LogOutcome = { status: logStatus.ok, errorCode: logError.none satisfies LogErrorCode }

/**
 * What a client has of an operation: it writes a `TRequest` and reads a `TResponse`.
 *
 * What is written is measured first, by `requestBytes`, which also checks it (`BAD_FRAME` names the field); the `writeRequest`
 * that follows trusts that, and fills exactly so many bytes of `target` from `at` on.
 */
export interface LogQuestion<TRequest, TResponse> {
  /** As texts of errors name it: `Produce`. */
  readonly name: string
  /** u8, one of `logType`. */
  readonly type: number
  /** u8. */
  readonly version: number
  /** Whether a response may have status partial. */
  readonly isPartial: boolean

  flagsOf(request: TRequest): number
  requestBytes(request: TRequest): number
  writeRequest(target: Buffer, at: number, request: TRequest): void
  /** The outcome has status ok, or partial where that may be. */
  readResponse(reader: PayloadReader, outcome: LogOutcome): TResponse
}

/**
 * An operation of the protocol in one version. A server reads a `TRequest` and writes a `TAnswer`; a client writes a
 * `TRequest` and reads a `TResponse`.
 *
 * What is written is measured first, by `requestBytes` or `answerBytes`, which also check it (`BAD_FRAME` names the field);
 * the `write…` that follows trusts that, and fills exactly so many bytes of `target` from `at` on. What is read is a payload
 * in place: numbers are taken out, bodies stay where they are and are valid as long as the bytes are. A reader that has a
 * fault afterwards has read nothing.
 */
export interface LogOperation<TRequest, TAnswer, TResponse = TAnswer> extends LogQuestion<TRequest, TResponse> {
  /** The flags that its requests may have. */
  readonly flags: number

  /** `flags` have been checked against {@link LogOperation.flags}, no further. */
  readRequest(reader: PayloadReader, flags: number): TRequest

  outcomeOf(answer: TAnswer): LogOutcome
  answerBytes(answer: TAnswer): number
  /** Throws rather than fill less, where what the answer holds is not what was measured. */
  writeAnswer(target: Buffer, at: number, answer: TAnswer): void
  /** Of an answer that was written to `at`, the bytes whose CRC-32 is known. Left out where none ever is. */
  knownSums?(at: number, answer: TAnswer): readonly KnownSum[]
}

/** An operation whose types do not matter. */
export type AnyLogOperation = LogOperation<unknown, unknown>

/** The part of an operation whose requests have no flags, and whose responses no status but ok. */
export const plainOperation = {
  flags: 0,
  isPartial: false,
  flagsOf: () => 0,
  outcomeOf: () => logOk,
} as const
