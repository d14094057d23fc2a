/** Lines and messages: what `starfish log` reads and writes. */
import { isUtf8 } from 'node:buffer'
import { show } from '../../messages/option-faults.ts'
import type { ConsumedMessage, MessageBody, ProducerMessage } from '../../services/clients/log/message.ts'

const newline = 10

/** Cuts chunks into lines, without their ends. A line that is not whole waits for the next chunk. */
export class LineCutter {
  readonly #bytesMax: number
  #rest: Buffer[] = []
  #restBytes = 0
  #isTooLong = false

  /** Lines have up to `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** A line was too long: it was left out, as is all that follows. */
  get isTooLong(): boolean {
    return this.#isTooLong
  }

  /** The lines that are whole with this chunk, up to one that is too long. */
  cut(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = []
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      const line = this.#joined(chunk.subarray(from, at))
      if (this.#isTooLong) return lines
      lines.push(line)
      from = at + 1
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
    return lines
  }

  /** What follows the last line end; undefined when nothing does. */
  last(): Buffer | undefined {
    return this.#restBytes === 0 ? undefined : this.#joined(Buffer.alloc(0))
  }

  #joined(end: Buffer): Buffer {
    if (this.#restBytes === 0 && end.length <= this.#bytesMax) return end
    this.#keep(end)
    const line = Buffer.concat(this.#rest)
    this.#rest = []
    this.#restBytes = 0
    return line
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length
    this.#isTooLong ||= this.#restBytes > this.#bytesMax
    if (!this.#isTooLong) this.#rest.push(part)
  }
}

/** How a line is a message. */
export interface LineForm {
  readonly json: boolean
  readonly keySeparator: string | undefined
  readonly partition: number | undefined
}

/** The message of a line. Throws for one that is none. */
export function messageOf(line: Buffer, { json, keySeparator, partition }: LineForm): ProducerMessage {
  const place = partition === undefined ? {} : { partition }
  if (json) return { ...parseMessage(line), ...place }
  const at = keySeparator === undefined ? -1 : line.indexOf(keySeparator)
  if (at < 0) return { value: line, ...place }
  return { key: line.subarray(0, at), value: line.subarray(at + Buffer.byteLength(keySeparator!)), ...place }
}

/** What `starfish log consume --json` writes is read too: its partition and offset are those of where it was read from. */
function parseMessage(line: Buffer): ProducerMessage {
  const parsed = parseObject(line)
  if (!Object.hasOwn(parsed, 'value')) throw new Error('it is not an object with a value')
  const { key, value, partition, offset, timestamp } = parsed
  return {
    value: bodyOf('value', value),
    ...(key === undefined ? {} : { key: bodyOf('key', key) }),
    ...(partition === undefined || offset !== undefined
      ? {}
      : { partition: wholeOf('partition', partition, 0, u32Max) }),
    ...(timestamp === undefined ? {} : { timestamp: wholeOf('timestamp', timestamp, -safeMax, safeMax) }),
  }
}

const u32Max = 0xffff_ffff
const safeMax = Number.MAX_SAFE_INTEGER

function parseObject(line: Buffer): Readonly<Record<string, unknown>> {
  if (!isUtf8(line)) throw new Error('it is not UTF-8')
  let parsed: unknown
  try {
    parsed = JSON.parse(line.toString())
  } catch (error) {
    throw new Error(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
  throw new Error('it is not an object with a value')
}

function bodyOf(name: string, body: unknown): MessageBody {
  if (typeof body === 'string' || body === null) return body
  const base64 = typeof body === 'object' && 'base64' in body! ? body.base64 : undefined
  if (typeof base64 === 'string' && isBase64(base64)) return Buffer.from(base64, 'base64')
  throw new Error(`${name} is ${show(body)}, not a text, null or { "base64": text }`)
}

/** Whether a text is whole base64, padded or not. One pattern for all of it would overflow the stack with some megabytes. */
function isBase64(text: string): boolean {
  const paddingAt = text.indexOf('=')
  const length = paddingAt < 0 ? text.length : paddingAt
  const beyondWhole = length % 4
  if (beyondWhole === 1 || /[^\w+/-]/.test(text.slice(0, length))) return false
  return paddingAt < 0 || (beyondWhole > 0 && /^={1,2}$/.test(text.slice(length)))
}

function wholeOf(name: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw new Error(`${name} is ${show(value)}, not a whole number from ${least} to ${most}`)
}

/** How a message is a line. */
export interface MessageForm {
  readonly json: boolean
  readonly keySeparator: string | undefined
}

/** The line of a message, with its end. */
export function lineOf(message: ConsumedMessage, { json, keySeparator }: MessageForm): Buffer {
  const { partition, offset, timestamp, key, value } = message
  if (json) {
    return Buffer.from(`${JSON.stringify({ partition, offset, timestamp, key: textOf(key), value: textOf(value) })}\n`)
  }
  const parts = keySeparator === undefined ? [] : [key ?? noBytes, Buffer.from(keySeparator)]
  return Buffer.concat([...parts, value ?? noBytes, lineEnd])
}

const noBytes = Buffer.alloc(0)
const lineEnd = Buffer.of(newline)

function textOf(bytes: Buffer | null): string | null | { base64: string } {
  if (bytes === null) return null
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }
}
