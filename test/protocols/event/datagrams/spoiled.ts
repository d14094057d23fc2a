/** Datagrams out of sound requests, spoiled in a few places; each has a number and is the same every time. */
import { createRandom, type Random } from '../../../../src/actors/runtime/clock.ts'
import { cookieOf, type ReferenceOptions, type ReferenceSender } from './reference-server.ts'

/** Lengths around those where something changes. */
const strikingLengths = [
  0, 1, 15, 16, 17, 1_199, 1_200, 1_215, 1_216, 1_217, 65_536, 0x7fff_ffff, 0xffff_fff0, 0xffff_ffff,
]

/** The datagram of that number. */
export function spoiledDatagram(seed: number, options: ReferenceOptions, sender: ReferenceSender): Buffer {
  const random = createRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  let datagram = below(20) === 0 ? randomBytes(random, below(80)) : soundRequest(random, options, sender)
  for (let left = Math.max(0, below(6) - 2); left > 0 && datagram.length > 0; left--) datagram = spoil(datagram, random)
  return datagram
}

function randomBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)))
}

function soundRequest(random: Random, options: ReferenceOptions, sender: ReferenceSender): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  const known = [...options.commands.keys()]
  const cookies = [
    () => Buffer.alloc(0),
    () => Buffer.alloc(0),
    () => cookieOf(options, sender, 0),
    () => cookieOf(options, sender, -1),
    () => cookieOf(options, sender, -2),
    () => cookieOf(options, { ...sender, port: sender.port - 1 }, 0),
    () => randomBytes(random, 16),
  ]
  const cookie = cookies[below(cookies.length)]!()
  const body = randomBytes(random, below(8) === 0 ? 1_150 + below(120) : below(60))
  const header = Buffer.alloc(16)
  header[0] = 1
  header[1] = options.raidaId
  header.writeUInt16BE(below(15) === 0 ? below(65_536) : known[below(known.length)]!, 2)
  randomBytes(random, 4).copy(header, 4)
  header.writeUInt32BE(cookie.length + body.length, 8)
  header[15] = cookie.length > 0 ? 1 : 2 * below(2)
  return Buffer.concat([header, cookie, body])
}

function spoil(datagram: Buffer, random: Random): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  const at = below(datagram.length)
  const some = 1 + below(40)
  const copy = Buffer.from(datagram)
  switch (below(8)) {
    case 0:
      copy[at] = copy[at]! ^ (1 << below(8))
      return copy
    case 1:
      return Buffer.concat([copy.subarray(0, at), Buffer.alloc(some, below(256)), copy.subarray(at)])
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + some)])
    case 3:
      return copy.subarray(0, at)
    case 4:
      return copy.subarray(0, below(20))
    case 5:
      if (copy.length >= 12) copy.writeUInt32BE(strikingLengths[below(strikingLengths.length)]!, 8)
      return copy
    case 6:
      if (copy.length >= 16) copy[15] = below(4)
      return copy
    default:
      copy[Math.min(below(2), copy.length - 1)] = below(4)
      return copy
  }
}
