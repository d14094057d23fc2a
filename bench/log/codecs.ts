/** Encode and decode of the log protocol, and its checksum beside zlib's. */
import { figureOf, measuredBy, nanoseconds } from '../nanoseconds.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'

const inFlight = '1 frame'
const limit = atMost(500, 'ns')

/** Measures. */
export async function measureCodecs({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 1 : 3
  const names: string[] = []
  const columns: number[][] = []
  for (let round = 0; round < rounds; round++) {
    const results = await measuredBy(new URL('./codec.ts', import.meta.url))
    for (const [index, { name, ns }] of results.entries()) {
      names[index] = name
      columns[index] = [...(columns[index] ?? []), ns]
    }
    say(`codecs ${round + 1}/${rounds}: ${results.map(({ ns }) => `${ns.toFixed(0)} ns`).join(', ')}`)
  }
  return names.flatMap((name, index) => {
    const values = columns[index]!
    if (/^(en|de)code/.test(name)) return [figureOf(name, inFlight, values, limit)]
    if (name === 'the same by zlib') return []
    const beside = names[index + 1] === 'the same by zlib' ? `zlib: ${nanoseconds(columns[index + 1]!)}` : undefined
    return [figureOf(name, inFlight, values, undefined, beside)]
  })
}
