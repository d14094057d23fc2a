/** A command was called in a way that it does not understand; the message is the one line that the user reads. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  /** `command` is how it is called: `starfish up`. */
  constructor(command: string, problem: string) {
    super(`${command}: ${problem}; see ${command} --help`)
  }
}
