/** Lines and messages: what `starfish log` reads and writes. */
import { isUtf8 } from 'node:buffer'
import type { ConsumedMessage, ProducerMessage } from '../../services/clients/log/message.ts'

const newline = 10

/** Cuts chunks into lines, without their ends. A line that is not whole waits for the next chunk. */
export class LineCutter {
  readonly #bytesMax: number
  #rest: Buffer[] = []
  #restBytes = 0

  /** Lines have up to `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The lines that are whole with this chunk. Throws for one that is too long. */
  cut(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = []
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      lines.push(this.#joined(chunk.subarray(from, at)))
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
    if (this.#restBytes === 0) return end
    this.#keep(end)
    const line = Buffer.concat(this.#rest)
    this.#rest = []
    this.#restBytes = 0
    return line
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length
    if (this.#restBytes > this.#bytesMax) throw new Error(`a line has more than ${this.#bytesMax} bytes`)
    this.#rest.push(part)
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

function parseMessage(line: Buffer): ProducerMessage {
  let parsed: unknown
  try {
    parsed = JSON.parse(line.toString())
  } catch (error) {
    throw new Error(`a line is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof parsed === 'object' && parsed !== null && 'value' in parsed) return parsed as ProducerMessage
  throw new Error('a line is not an object with a value')
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
