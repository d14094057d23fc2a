/** The command was called in a way it does not understand; the message is the one line that the user reads. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
