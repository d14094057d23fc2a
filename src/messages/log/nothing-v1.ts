/** A payload without a byte: what some operations ask, and some answer. */

/** It has no fields. */
export type Nothing = Readonly<Record<never, never>>

const nothing: Nothing = {}

/** The part of an operation whose requests are empty. */
export const emptyRequest = {
  requestBytes: () => 0,
  writeRequest: () => {},
  readRequest: () => nothing,
} as const

/** The part of an operation whose responses are empty. */
export const emptyResponse = {
  answerBytes: () => 0,
  writeAnswer: () => {},
  readResponse: () => nothing,
} as const
