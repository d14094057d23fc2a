/** What a command waits for without an end in sight: told on stderr, at once and then seldom. */
import type { ClientFigures, PooledServerFigures } from '../../services/clients/connection-pool.ts'
import type { PartitionFigures } from '../../services/clients/log/consumer/reading.ts'

/** One failure is nothing yet: a server that restarts is back with the next try. */
const failuresMin = 2

/** Why no request can be sent; undefined when one can, or it is too early to say. */
export function connectionTrouble({ servers }: Pick<ClientFigures, 'servers'>): string | undefined {
  if (!servers.every(isAway)) return undefined
  return servers.map(({ lastError }) => lastError!.message).join('; ')
}

function isAway({ connections, failures, lastError }: PooledServerFigures): boolean {
  return connections === 0 && failures >= failuresMin && lastError !== undefined
}

/** Why partitions are not read, if one is not. */
export function partitionTrouble(partitions: readonly PartitionFigures[]): string | undefined {
  return partitions.find(({ failures }) => failures >= failuresMin)?.lastError?.message
}

/** The least time between two lines: when the trouble is another, and when it is the same, ms. */
const otherAfterMs = 5_000
const sameAfterMs = 30_000

/** Which troubles are worth a line. */
export class TroubleTeller {
  #said: string | undefined
  #saidAtMs = Number.NEGATIVE_INFINITY

  /** The line to say now about what is the trouble now, if one is. */
  lineFor(trouble: string | undefined, nowMs: number): string | undefined {
    if (trouble === undefined) return undefined
    if (nowMs - this.#saidAtMs < (trouble === this.#said ? sameAfterMs : otherAfterMs)) return undefined
    this.#said = trouble
    this.#saidAtMs = nowMs
    return `${trouble}; trying on`
  }
}

const everyMs = 250

function sayPlainly(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Looks for trouble of a command now and then, and says it, until it is ended. */
export function tellTrouble(
  command: string,
  look: () => string | undefined,
  say: (line: string) => void = sayPlainly,
): () => void {
  const teller = new TroubleTeller()
  const timer = setInterval(() => {
    const line = teller.lineFor(look(), performance.now())
    if (line !== undefined) say(`${command}: ${line}`)
  }, everyMs)
  return () => clearInterval(timer)
}
