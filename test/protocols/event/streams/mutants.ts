/** Scenarios out of what a real client sent, spoiled in a few places; each has a number and is the same every time. */
import { readFileSync } from 'node:fs'
import { createRandom, type Random } from '../../../../src/actors/runtime/clock.ts'
import { profiles } from './profiles.ts'
import { cut, type Scenario } from './scenario.ts'
import { strikingLengths } from './structured.ts'

/** What clients sent, from connect to close; `record-captures.ts` wrote them. */
export const captures: readonly Buffer<ArrayBufferLike>[] = Object.values(
  JSON.parse(readFileSync(new URL('captures.json', import.meta.url), 'utf8')) as Record<string, string>,
).map(hex => Buffer.from(hex, 'hex'))

/** The scenario of that number. */
export function mutant(seed: number): Scenario {
  const random = createRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!
  let stream: Buffer = Buffer.from(pick(captures))
  for (let left = below(4); left > 0; left--) stream = spoil(stream, random)
  const places = Array.from({ length: below(6) }, () => below(stream.length + 1))
  const drainAt = below(12) === 0 ? below(3) : undefined
  const gaps = drainAt === undefined && below(10) === 0
  return {
    profile: below(profiles.length),
    refused: below(30) === 0,
    chunks: cut(stream, places),
    gapsMs: gaps ? places.map(() => pick([0, 0, 700, 1_500, 2_600])) : [],
    drainAt,
    reader: pick(['eager', 'eager', 'eager', 'lazy', 'gone']),
    late: pick(['soon', 'last']),
    ending: pick(['fin', 'fin', 'silence', 'reset']),
  }
}

function spoil(stream: Buffer, random: Random): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  const at = below(stream.length)
  const [head, tail] = [stream.subarray(0, at), stream.subarray(at)]
  const some = 1 + below(40)
  const starts = frameStarts(stream)
  const start = starts[below(starts.length)] ?? 0
  const copy = Buffer.from(stream)
  switch (below(9)) {
    case 0:
      copy[at] = copy[at]! ^ (1 << below(8))
      return copy
    case 1:
      return Buffer.concat([head, Buffer.alloc(some, below(256)), tail])
    case 2:
      return Buffer.concat([head, tail.subarray(some)])
    case 3:
      return Buffer.concat([head, tail.subarray(0, some), tail])
    case 4:
      return head
    case 5:
      return Buffer.concat([head, captures[below(captures.length)]!])
    case 6:
      if (start + 12 <= copy.length) copy.writeUInt32BE(strikingLengths[below(strikingLengths.length)]!, start + 8)
      return copy
    case 7:
      // A command that there is, most often.
      if (start + 4 <= copy.length) copy.writeUInt16BE(below(7), start + 2)
      return copy
    default:
      if (start + 2 <= copy.length) copy[start + below(2)] = below(10)
      return copy
  }
}

/** Where frames begin, as far as the declared lengths lead. */
function frameStarts(stream: Buffer): number[] {
  const starts: number[] = []
  for (let at = 0; at + 16 <= stream.length && starts.length < 100; at += 16 + stream.readUInt32BE(at + 8))
    starts.push(at)
  return starts
}
