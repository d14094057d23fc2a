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

/** The line that shows it. */
export function progressLine({ messages, bytes, bytesTotal, elapsedMs }: Progress): string {
  const perSecond = elapsedMs === 0 ? 0 : Math.round((messages * 1_000) / elapsedMs)
  const counted = `${messages.toLocaleString('en')} messages, ${perSecond.toLocaleString('en')}/s`
  if (bytesTotal === undefined || bytesTotal === 0) return counted
  const share = Math.min(1, bytes / bytesTotal)
  const filled = Math.round(share * barCells)
  return `[${'='.repeat(filled)}${' '.repeat(barCells - filled)}] ${Math.floor(share * 100)} %, ${counted}`
}

const everyMs = 100

/** Shows progress on stderr, if that is a terminal, until it is ended. */
export async function showProgress(look: () => Progress): Promise<() => void> {
  if (!process.stderr.isTTY) return () => {}
  const { createLogUpdate } = await import('log-update')
  const update = createLogUpdate(process.stderr)
  const draw = () => update(progressLine(look()))
  const timer = setInterval(draw, everyMs)
  return () => {
    clearInterval(timer)
    draw()
    update.done()
  }
}
