/**
 * What the processes of a run under kills tell the one that judges, and the judgement. Times are milliseconds of the
 * system's monotonic clock, which all processes of a machine share.
 */

/** How shards come by their connections in a run. */
export type Mode = 'reusePort' | 'handoff'

/** One kill, told when its victim serves again. */
export interface Kill {
  readonly type: 'kill'
  /** `listener`: the actor that accepts for all shards, in `handoff` only. */
  readonly kind: 'actor' | 'worker' | 'listener'
  /** Whom it met; -1 for the listener. */
  readonly shard: number
  /** The incarnations of acceptors that were killed. */
  readonly incarnations: readonly number[]
  readonly atMs: number
  readonly againAtMs: number
}

/** What the server process tells. */
export type FromServer = { readonly type: 'ready'; readonly port: number } | Kill | { readonly type: 'over' }

/** A connection that ended though the client did not end it. */
export interface Ending {
  readonly client: 'steady' | 'short'
  readonly dialAtMs: number
  readonly connected: boolean
  readonly endedAtMs: number
  /** Who served it; undefined when it ended before the first answer. */
  readonly incarnation: number | undefined
  /** FIN, or the code of the error. */
  readonly how: string
  readonly unanswered: number
}

/** A time in which a client got no answer: between two answers, or from a dial to the first one. */
export interface Gap {
  readonly fromMs: number
  readonly toMs: number
}

/** What the client process tells in the end. */
export interface ClientReport {
  readonly answers: number
  readonly connections: number
  readonly shortConnections: number
  /** Answers that did not fit their requests, and what else must never be; the first ones in words. */
  readonly wrong: readonly string[]
  readonly endings: readonly Ending[]
  /** For each dial: begin, and first answer or end. */
  readonly dials: readonly (readonly [number, number])[]
  /** The longest gaps of single clients, reconnecting included, longest first. */
  readonly gaps: readonly Gap[]
  /** The longest time in which no client got an answer. */
  readonly longestSilenceMs: number
  /** When the client process itself stood still, for want of a processor: it could not have seen an answer. */
  readonly standstills: readonly Gap[]
}

/** Shards of the server. */
export const shards = 2

/** Longest time that a client may be without an answer. */
export const gapMaxMs = 500

/** How late a client process may notice what the kernel told it, its own standstill aside. */
const noticeMs = 50

/** The figures of a run; `violations` is empty when every bound held. */
export interface Verdict {
  readonly violations: readonly string[]
  readonly figures: Readonly<Record<string, unknown>>
}

/** Lays everything that went wrong to a kill, and says what cannot be. */
export function judge(kills: readonly Kill[], report: ClientReport): Verdict {
  const violations = [...report.wrong]
  const killOf = killsByIncarnation(kills)
  const lateMs = noticeMs + longestOf(report.standstills)
  const around = (atMs: number): Kill[] => kills.filter(kill => kill.atMs <= atMs && atMs <= kill.againAtMs + lateMs)
  const resets = new Map<Kill, number>()

  for (const ending of report.endings) {
    const { incarnation, endedAtMs, how } = ending
    const told = JSON.stringify(ending)
    if (how === 'ECONNREFUSED') {
      if (!nobodyListens(around(endedAtMs))) {
        violations.push(`refused while a shard listened: ${told}`)
      }
      continue
    }
    if (incarnation === undefined) {
      // Nobody had served it: it was a connect in flight when somebody was killed.
      const [kill] = around(endedAtMs).filter(({ againAtMs }) => ending.dialAtMs <= againAtMs)
      if (kill === undefined) violations.push(`a connect was lost without a kill: ${told}`)
      else resets.set(kill, (resets.get(kill) ?? 0) + 1)
      continue
    }
    const kill = killOf.get(incarnation)
    if (kill === undefined) violations.push(`a connection ended that nobody killed: ${told}`)
    else if (endedAtMs > kill.againAtMs + lateMs) violations.push(`a connection outlived its shard: ${told}`)
    else if (endedAtMs < kill.atMs) violations.push(`a connection ended before its shard was killed: ${told}`)
  }
  for (const [kill, count] of resets) {
    const flying = connectsInFlight(kill, report)
    if (count > flying) violations.push(`${count} connects reset of ${flying} in flight: ${JSON.stringify(kill)}`)
  }
  if (report.gaps.length === 0) violations.push('no client got two answers')
  for (const gap of report.gaps) {
    const ms = lengthOf(gap, report)
    if (ms > gapMaxMs) violations.push(`a client got no answer for ${round(ms)} ms, ${duringOf(gap, kills)}`)
  }
  return { violations, figures: figuresOf(kills, report, resets) }
}

/** On a slow machine the second shard may be killed before the first is back. */
function nobodyListens(kills: readonly Kill[]): boolean {
  return kills.some(({ kind }) => kind === 'listener') || new Set(kills.map(({ shard }) => shard)).size === shards
}

/** An incarnation is told with each kill of its thread; it died of the first. */
function killsByIncarnation(kills: readonly Kill[]): ReadonlyMap<number, Kill> {
  const latestFirst = kills.toSorted((a, b) => b.atMs - a.atMs)
  return new Map(latestFirst.flatMap(kill => kill.incarnations.map(incarnation => [incarnation, kill] as const)))
}

/** How long a gap was, without the time in which the client stood still. */
function lengthOf({ fromMs, toMs }: Gap, { standstills }: ClientReport): number {
  const overlaps = standstills.map(still => Math.max(0, Math.min(toMs, still.toMs) - Math.max(fromMs, still.fromMs)))
  return overlaps.reduce((rest, overlap) => rest - overlap, toMs - fromMs)
}

function longestOf(gaps: readonly Gap[]): number {
  return Math.max(0, ...gaps.map(({ fromMs, toMs }) => toMs - fromMs))
}

function connectsInFlight({ atMs, againAtMs }: Kill, { dials }: ClientReport): number {
  return dials.filter(([dialAtMs, settledAtMs]) => dialAtMs <= againAtMs && settledAtMs >= atMs).length
}

function figuresOf(kills: readonly Kill[], report: ClientReport, resets: ReadonlyMap<Kill, number>) {
  const { endings } = report
  const kinds = ['actor', 'worker', 'listener'] as const
  const ofKind = (kind: Kill['kind']): readonly [string, string][] => {
    const downs = kills.filter(kill => kill.kind === kind).map(kill => kill.againAtMs - kill.atMs)
    if (downs.length === 0) return []
    const median = downs.toSorted((a, b) => a - b)[downs.length >> 1]!
    return [[kind, `${downs.length}, down ${round(median)} ms (median), ${round(Math.max(...downs))} ms (longest)`]]
  }
  const count = (holds: (ending: Ending) => boolean): number => endings.filter(holds).length
  return {
    kills: Object.fromEntries(kinds.flatMap(ofKind)),
    answers: report.answers,
    wrong: report.wrong.length,
    connections: report.connections,
    shortConnections: report.shortConnections,
    unanswered: endings.reduce((sum, ending) => sum + ending.unanswered, 0),
    ended: {
      served: count(({ incarnation }) => incarnation !== undefined),
      notServed: count(({ incarnation, how }) => incarnation === undefined && how !== 'ECONNREFUSED'),
      refused: count(({ how }) => how === 'ECONNREFUSED'),
    },
    notServedAtOneKill: Math.max(0, ...resets.values()),
    connectsInFlightAtOneKill: Math.max(0, ...kills.map(kill => connectsInFlight(kill, report))),
    longestGaps: longestGaps(report, kills),
    longestSilenceMs: round(report.longestSilenceMs),
    longestStandstillOfClientsMs: round(longestOf(report.standstills)),
  }
}

/** The longest gap at each kill, longest first. */
function longestGaps(report: ClientReport, kills: readonly Kill[]): readonly string[] {
  const longest = new Map<string, number>()
  for (const gap of report.gaps) {
    const during = duringOf(gap, kills)
    longest.set(during, Math.max(longest.get(during) ?? 0, lengthOf(gap, report)))
  }
  const first = [...longest].sort(([, one], [, other]) => other - one).slice(0, 5)
  return first.map(([during, gapMs]) => `${round(gapMs)} ms, ${during}`)
}

function duringOf({ fromMs, toMs }: Gap, kills: readonly Kill[]): string {
  const met = kills.filter(kill => kill.atMs <= toMs && kill.againAtMs >= fromMs - noticeMs)
  if (met.length === 0) return 'at no kill'
  return met.map(({ kind, shard, atMs, againAtMs }) => `${kind} ${shard} down ${round(againAtMs - atMs)} ms`).join(', ')
}

/** To tenths. */
function round(ms: number): number {
  return Math.round(ms * 10) / 10
}

/** Milliseconds of the monotonic clock. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
