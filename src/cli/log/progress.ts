/** How far an import has come, for eyes: a bar, a count, a rate. */

/** What is known of it. */
export interface Progress {
  readonly messages: number
  readonly bytes: number
  /** Bytes there are; undefined when nobody knows. */
  readonly bytesTotal: number | undefined
  readonly elapsedMs: number
}

const barCells = 30

/** The line that shows it, with that rate. */
export function progressLine({ messages, bytes, bytesTotal }: Progress, perSecond: number): string {
  const counted = `${messages.toLocaleString('en')} messages, ${perSecond.toLocaleString('en')}/s`
  if (bytesTotal === undefined || bytesTotal === 0) return counted
  const share = Math.min(1, bytes / bytesTotal)
  const filled = Math.round(share * barCells)
  return `[${'='.repeat(filled)}${' '.repeat(barCells - filled)}] ${Math.floor(share * 100)} %, ${counted}`
}

/** The line that tells at the end what was stored. */
export function storedLine(messages: number, elapsedMs: number): string {
  const told = `${messages} message${messages === 1 ? '' : 's'} stored`
  if (messages === 0 || elapsedMs <= 0) return told
  return `${told} in ${(elapsedMs / 1_000).toFixed(1)} s, ${meanRate({ messages, elapsedMs }).toLocaleString('en')}/s`
}

/** How many there were when. */
type Counted = Pick<Progress, 'messages' | 'elapsedMs'>

const none: Counted = { messages: 0, elapsedMs: 0 }

/** Messages a second between two looks. */
export function meanRate(now: Counted, before = none): number {
  const elapsedMs = now.elapsedMs - before.elapsedMs
  return elapsedMs <= 0 ? 0 : Math.round(((now.messages - before.messages) * 1_000) / elapsedMs)
}

const recentMs = 5_000

/** Messages a second, of the last five seconds. */
export class RecentRate {
  /** Oldest first: the last one that is as old, and what came after it. */
  #looks: Counted[] = [none]

  /** The rate now; what there is now counts for the next ones. */
  of(now: Counted): number {
    const firstRecent = this.#looks.findLastIndex(({ elapsedMs }) => now.elapsedMs - elapsedMs >= recentMs)
    this.#looks = [...this.#looks.slice(Math.max(0, firstRecent)), now]
    return meanRate(now, this.#looks[0])
  }
}

const everyMs = 100
const columnsDefault = 80
const rowsDefault = 24

/** Progress while it is shown. */
export interface ShownProgress {
  /** Writes a line beside it; undefined when nothing is shown. */
  readonly say: ((line: string) => void) | undefined
  end(): void
}

/** Shows progress on stderr, if that is a terminal that can go back in its line, until it is ended. */
export async function showProgress(look: () => Progress): Promise<ShownProgress> {
  const { stderr } = process
  if (!stderr.isTTY || process.env['TERM'] === 'dumb') return { say: undefined, end: () => {} }
  const { createLogUpdate } = await import('log-update')
  const update = createLogUpdate(stderr)
  const recent = new RecentRate()
  const draw = (rateOf: (now: Progress) => number) => {
    // A terminal that does not tell its size has one.
    stderr.columns ||= columnsDefault
    stderr.rows ||= rowsDefault
    const now = look()
    update(progressLine(now, rateOf(now)))
  }
  const timer = setInterval(() => draw(now => recent.of(now)), everyMs)
  return {
    say: line => update.persist(line),
    end() {
      clearInterval(timer)
      draw(meanRate)
      update.done()
    },
  }
}
