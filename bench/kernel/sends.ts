/** Batched sends from the main thread to actors of a shard, against `postMessage` of the same batches. */
import type { ActorRef } from '../../src/supervisor/actor-ref.ts'
import type { System } from '../../src/supervisor/system.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { addresses, sample } from './actor.ts'
import { type BareForm, createBareSends } from './baseline-send.ts'
import { batchMessages, turn, windowMessages } from './pace.ts'
import { codedSink, liveSink, sink } from './sink.ts'
import { benchSystem } from './world.ts'

type Definition = typeof sink

const inFlight = `<= ${windowMessages}, batches of ${batchMessages}`
const ratioLimit = atLeast(0.8, 'x')
const rateLimit = atLeast(2, 'M/s')

interface Sends {
  /** Sends so many messages; answers milliseconds until the last was handled. */
  run(messages: number): Promise<number>
}

/** One actor for each of the addresses, all on shard 0; `name` tells the sets of actors apart. */
async function startSinks(system: System, name: string, definition: Definition): Promise<Sends> {
  const handled = new SharedArrayBuffer(4)
  const counter = new Int32Array(handled)
  const refs = await Promise.all(
    addresses.map(address => system.spawn(definition, { id: `${name}-${address}`, shard: 0, input: { handled } })),
  )
  return { run: messages => sendAll(refs, counter, messages) }
}

async function sendAll(refs: readonly ActorRef<Definition>[], handled: Int32Array, messages: number): Promise<number> {
  const before = Atomics.load(handled, 0)
  let sent = 0
  const from = performance.now()
  while (sent < messages) {
    if (sent - (Atomics.load(handled, 0) - before) <= windowMessages - batchMessages) {
      for (const end = sent + batchMessages; sent < end; sent++) refs[sent & 63]!.send(sample(sent))
    }
    await turn()
  }
  while (Atomics.load(handled, 0) - before < messages) await turn()
  return performance.now() - from
}

/** Measures. */
export async function measureSends({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 5 : 15
  const messages = batchMessages * (quick ? 300 : 800)
  const fewer = batchMessages * (quick ? 60 : 160)
  const bare = createBareSends()
  const [compiled, coded, live] = await Promise.all([
    openSinks('sink', sink),
    openSinks('coded', codedSink),
    openSinks('live', liveSink),
  ])
  const rates = { compiled: [], coded: [], live: [], flat: [], envelopes: [] } as Record<Kind, number[]>
  for (let round = -2; round < rounds; round++) {
    for (const kind of ['flat', 'compiled', 'envelopes', 'coded'] as const) {
      const ms = await runOne({ bare, compiled, coded, live }, kind, messages)
      if (round >= 0) rates[kind].push(messages / ms / 1_000)
    }
    const ms = await live.run(fewer)
    if (round >= 0) rates.live.push(fewer / ms / 1_000)
    if (round >= 0) say(`sends ${round + 1}/${rounds}: ${Object.entries(rates).map(lastOf).join(', ')}`)
  }
  await Promise.all([bare.stop(), compiled.stop(), coded.stop(), live.stop()])
  return figures(rates)
}

type Kind = 'compiled' | 'coded' | 'live' | BareForm

type OpenSinks = Sends & { stop(): Promise<void> }

/** A system of their own for each kind, so that the count of handled messages is of that kind alone. */
async function openSinks(name: string, definition: Definition): Promise<OpenSinks> {
  const system = await benchSystem(1)
  const sends = await startSinks(system, name, definition)
  return { ...sends, stop: () => system.stop() }
}

function runOne(
  all: { bare: ReturnType<typeof createBareSends> } & Record<'compiled' | 'coded' | 'live', OpenSinks>,
  kind: Kind,
  messages: number,
): Promise<number> {
  return kind === 'flat' || kind === 'envelopes' ? all.bare.run(messages, kind) : all[kind].run(messages)
}

function lastOf([kind, rates]: [string, number[]]): string {
  return `${kind} ${rates.at(-1)!.toFixed(2)}M/s`
}

function figures(rates: Record<Kind, number[]>): Figure[] {
  const best = median(rates.flat) >= median(rates.envelopes) ? 'flat' : 'envelopes'
  const bare = rates[best]
  const baseline = `bare, ${best}: ${perSecond(bare)}`
  const ratio = (kind: Kind, base: readonly number[]) => spread(rates[kind].map((rate, round) => rate / base[round]!))
  const objects = ratio('compiled', bare)
  const binary = spread(rates.coded)
  return [
    {
      work: 'sends of 90 B objects, main to shard, compiled actors',
      inFlight,
      figure: perSecond(rates.compiled),
      baseline,
      budget: ratioLimit.text,
      pass: ratioLimit.holds(objects.value),
      ...objects,
    },
    {
      work: 'the same against an array of `{ to, from, event }`',
      inFlight,
      figure: perSecond(rates.compiled),
      baseline: `bare, envelopes: ${perSecond(rates.envelopes)}`,
      ...ratio('compiled', rates.envelopes),
    },
    {
      work: 'the same, live engine',
      inFlight,
      figure: perSecond(rates.live),
      baseline,
      ...ratio('live', bare),
    },
    {
      work: 'sends with a binary codec, compiled actors, M/s',
      inFlight,
      figure: perSecond(rates.coded),
      baseline,
      budget: rateLimit.text,
      pass: rateLimit.holds(binary.value),
      ...binary,
    },
  ]
}

function perSecond(rates: readonly number[]): string {
  return `${median(rates).toFixed(2)}M/s`
}
