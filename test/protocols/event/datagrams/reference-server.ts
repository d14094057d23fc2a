/**
 * What a server answers to a datagram, written from the description of the protocol and from nothing of its code: slow, plain,
 * one datagram at a time.
 */
import { createHmac } from 'node:crypto'

/** What the server was told. */
export interface ReferenceOptions {
  readonly raidaId: number
  readonly payloadBytesMax: number
  /** What cookies are made of. */
  readonly secret: Uint8Array
  /** Its time, which stands still. */
  readonly nowMs: number
  /** The commands: what they answer, or a status. */
  readonly commands: ReadonlyMap<number, (body: Buffer) => Buffer | number>
}

/** Who sends. */
export interface ReferenceSender {
  readonly address: string
  readonly port: number
}

interface Judgement {
  readonly answer: Buffer | 'challenge'
  readonly isProven: boolean
}

/** The datagram that the sender gets back; undefined for none. */
export function referenceAnswer(options: ReferenceOptions, sender: ReferenceSender, bytes: Buffer): Buffer | undefined {
  const { answer, isProven } = judge(options, sender, bytes)
  const most = 3 * bytes.length
  if (answer !== 'challenge' && (isProven || answer.length <= most)) return answer
  const challenge = reply(bytes, 10, cookieOf(options, sender, 0))
  return challenge.length <= most ? challenge : undefined
}

/** The cookie of a sender, of this period (0) or one before (-1, -2). */
export function cookieOf(
  { secret, nowMs }: ReferenceOptions,
  { address, port }: ReferenceSender,
  period: number,
): Buffer {
  const number = Buffer.alloc(8)
  number.writeBigInt64BE(BigInt(Math.floor(nowMs / 60_000) + period))
  const key = createHmac('sha256', secret).update(number).digest()
  return createHmac('sha256', key).update(`${address}|${port}`).digest().subarray(0, 16)
}

function judge(options: ReferenceOptions, sender: ReferenceSender, bytes: Buffer): Judgement {
  const unproven = (answer: Buffer | 'challenge') => ({ answer, isProven: false })
  if (bytes.length < 16) return unproven(reply(bytes, 1))
  if (bytes[0] !== 1 || bytes[1] !== options.raidaId) return unproven(reply(bytes, 3))
  const declared = bytes.readUInt32BE(8)
  if (bytes.length > options.payloadBytesMax || 16 + declared > options.payloadBytesMax)
    return unproven(reply(bytes, 4))
  if (16 + declared !== bytes.length) return unproven(reply(bytes, 1))
  const bringsCookie = bytes.readUInt32BE(12) % 2 === 1
  if (bringsCookie && declared < 16) return unproven(reply(bytes, 1))
  const command = options.commands.get(bytes.readUInt16BE(2))
  if (command === undefined) return unproven(reply(bytes, 5))
  if (bringsCookie) {
    const isGood = [0, -1].some(period => cookieOf(options, sender, period).equals(bytes.subarray(16, 32)))
    if (!isGood) return unproven('challenge')
  }
  const result = command(bytes.subarray(bringsCookie ? 32 : 16))
  const isTooLong = typeof result !== 'number' && 16 + result.length > options.payloadBytesMax
  const answer =
    typeof result === 'number' ? reply(bytes, result) : isTooLong ? reply(bytes, 9) : reply(bytes, 0, result)
  return { answer, isProven: bringsCookie }
}

function reply(request: Buffer, status: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(16)
  request.copy(header, 0, 0, Math.min(16, request.length))
  header[0] = 1
  header[1] = status
  header.writeUInt32BE(body.length, 8)
  header.writeUInt32BE(0, 12)
  return Buffer.concat([header, body])
}
