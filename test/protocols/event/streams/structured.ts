/** Scenarios out of whole frames with lies in them, for fast-check to choose and to shrink. */
import fc from 'fast-check'
import { command, profiles } from './profiles.ts'
import { cut, type Scenario } from './scenario.ts'

/** Lengths at which something changes. */
export const strikingLengths = [
  0,
  1,
  15,
  16,
  17,
  299,
  300,
  301,
  65_535,
  65_536,
  65_537,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
]

const known: fc.Arbitrary<number> = fc.constantFrom(...Object.values(command))
const body = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 3 }).map(bytes => Buffer.from([0xee, ...bytes])) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 6_000 }).map(size => Buffer.alloc(size, size)) },
)
const length = fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, fc.constantFrom(...strikingLengths))

const frame = fc
  .record({
    version: fc.oneof({ weight: 40, arbitrary: fc.constant(1) }, fc.nat(255)),
    raidaId: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, fc.nat(255)),
    command: fc.oneof({ weight: 12, arbitrary: known }, fc.nat(65_535)),
    sessionId: fc.nat(2 ** 32 - 1),
    reserved: fc.nat(2 ** 32 - 1),
    body,
    length,
  })
  .map(fields => (raidaId: number): Buffer => {
    const header = Buffer.alloc(16)
    header[0] = fields.version
    header[1] = fields.raidaId ?? raidaId
    header.writeUInt16BE(fields.command, 2)
    header.writeUInt32BE(fields.sessionId, 4)
    header.writeUInt32BE(fields.length ?? fields.body.length, 8)
    header.writeUInt32BE(fields.reserved, 12)
    return Buffer.concat([header, fields.body])
  })

/** Sums of these are never near a deadline. */
const gap = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.constantFrom(700, 1_500, 2_600, 70_000))

/** Any scenario. */
export const structured: fc.Arbitrary<Scenario> = fc
  .record({
    profile: fc.nat(profiles.length - 1),
    refused: fc.integer({ min: 0, max: 15 }).map(each => each === 0),
    frames: fc.array(frame, { maxLength: 8 }),
    tail: fc.uint8Array({ maxLength: 30 }),
    places: fc.array(fc.nat(20_000), { maxLength: 6 }),
    gapsMs: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(gap, { maxLength: 5 })),
    drainAt: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.nat(3)),
    reader: fc.constantFrom('eager' as const, 'eager' as const, 'lazy' as const, 'lazy' as const, 'gone' as const),
    late: fc.constantFrom('soon' as const, 'last' as const),
    ending: fc.constantFrom('fin' as const, 'fin' as const, 'silence' as const, 'reset' as const),
  })
  .map(({ frames, tail, places, gapsMs, drainAt, ...rest }) => {
    const { raidaId } = profiles[rest.profile]!.reference
    const stream = Buffer.concat([...frames.map(make => make(raidaId)), tail])
    // A drain is timed by itself.
    return { ...rest, drainAt, gapsMs: drainAt === undefined ? gapsMs : [], chunks: cut(stream, places) }
  })
