/** Frames come out of a stream whole and in order, wherever it is cut, and what is kept is bounded by what came. */
import t from 'tap'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import {
  decodeChunk,
  type FrameSink,
  type PartialFrame,
  STOP,
  skipBody,
} from '../../../src/messages/wire/frame-decoder.ts'

/** A sink of frames with a header of two bytes: kind (0 take, 1 skip, 2 stop) and body size. */
class Sink implements FrameSink {
  readonly headerBytes = 2
  partial: PartialFrame | undefined
  readonly seen: string[] = []
  keptBytes = 0
  room = Number.POSITIVE_INFINITY
  framesMax = Number.POSITIVE_INFINITY
  onHeader(bytes: Buffer, at: number): number {
    const bodyBytes = bytes[at + 1]! * 16
    if (bytes[at] === 2) return STOP
    if (bytes[at] === 1) this.seen.push(`skip ${bodyBytes}`)
    return bytes[at] === 1 ? skipBody(bodyBytes) : bodyBytes
  }
  onFrame(bytes: Buffer, at: number, bodyBytes: number): void {
    this.seen.push(bytes.toString('hex', at, at + 2 + bodyBytes))
  }
  mayDecode(): boolean {
    return this.seen.length < this.framesMax
  }
  allocate(bytes: number, growBytes: number): Buffer | undefined {
    if (this.keptBytes + growBytes > this.room) return undefined
    this.keptBytes += growBytes
    return Buffer.alloc(bytes)
  }
}

const frame = (kind: number, size: number): Buffer =>
  Buffer.concat([Buffer.from([kind, size]), Buffer.alloc(size * 16, size)])
const stream = Buffer.concat([frame(0, 3), frame(1, 2), frame(0, 0), frame(1, 0), frame(0, 60), frame(0, 1)])

function decode(chunks: Buffer[], sink = new Sink()): Sink {
  for (const chunk of chunks) decodeChunk(sink, chunk)
  return sink
}

t.test('memory that is not looked at any more is handed back once, and may be written to', t => {
  const whole = decode([stream]).seen
  const wrong: string[] = []
  for (let bytes = 1; bytes < 100; bytes++) {
    const sink: FrameSink & { seen: string[] } = new Sink()
    const out = new Set<Buffer>()
    sink.allocate = size => {
      const buffer = Buffer.alloc(size)
      out.add(buffer)
      return buffer
    }
    sink.recycle = buffer => {
      out.delete(buffer)
      buffer.fill(0xee)
    }
    for (let at = 0; at < stream.length; at += bytes) decodeChunk(sink, stream.subarray(at, at + bytes))
    if (sink.seen.join() !== whole.join() || out.size > 0) wrong.push(`in chunks of ${bytes}: ${out.size} are not back`)
  }
  t.same(wrong, [])
  t.end()
})

t.test('a stream cut at any two bytes gives the same frames', t => {
  const whole = decode([stream]).seen
  t.equal(whole.length, 6)
  let wrong = 0
  for (let first = 0; first <= 120; first++) {
    for (let second = first; second <= stream.length; second += 7) {
      const sink = decode([stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)])
      if (sink.seen.join() !== whole.join() || sink.partial !== undefined) wrong++
    }
  }
  t.equal(wrong, 0)
  t.end()
})

t.test('a thousand seeded streams in seeded pieces give their frames', t => {
  let wrong = 0
  for (let seed = 0; seed < 1_000; seed++) {
    const random = createRandom(seed)
    const below = (limit: number): number => Math.floor(random() * limit)
    const bytes = Buffer.concat(Array.from({ length: 1 + below(8) }, () => frame(below(2), below(100))))
    const chunks: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + below(random() < 0.5 ? 4 : 900)
      chunks.push(bytes.subarray(at, at + size))
      at += size
    }
    const sink = decode(chunks)
    if (sink.seen.join() !== decode([bytes]).seen.join() || sink.partial !== undefined) {
      wrong++
      t.comment(`seed ${seed}`)
    }
  }
  t.equal(wrong, 0)
  t.end()
})

t.test('every truncation is kept as a partial frame of its stage', t => {
  const body = frame(0, 4)
  for (let at = 1; at < body.length; at++) {
    const { partial, seen } = decode([body.subarray(0, at)])
    t.same([partial?.stage, partial?.haveBytes, seen.length], [at < 2 ? 'header' : 'body', at, 0])
  }
  t.match(decode([frame(1, 4).subarray(0, 30)]).partial, { stage: 'skip', haveBytes: 0, arrivedBytes: 30 })
  t.end()
})

t.test('what is kept of a body grows with what came, not with what was declared', t => {
  const sink = decode([frame(0, 255).subarray(0, 3)])
  t.equal(sink.keptBytes, 512)
  decodeChunk(sink, frame(0, 255).subarray(3, 700))
  t.ok(sink.keptBytes <= 1_400, `${sink.keptBytes} bytes for 700`)
  t.end()
})

t.test('a body for which there is no memory is skipped, from its start or from where it stands', t => {
  const big = Buffer.concat([frame(0, 255), frame(0, 1)])
  for (const room of [100, 600]) {
    const sink = new Sink()
    sink.room = room
    decode([big.subarray(0, 400), big.subarray(400, 1_500), big.subarray(1_500)], sink)
    t.same(sink.seen, [frame(0, 1).toString('hex')])
  }
  t.end()
})

t.test('a sink that has enough is asked between frames, and the rest is left', t => {
  const sink = new Sink()
  sink.framesMax = 2
  const at = decodeChunk(sink, stream)
  t.equal(at, frame(0, 3).length + frame(1, 2).length)
  sink.framesMax = 100
  t.equal(decodeChunk(sink, stream, at), stream.length)
  t.same(sink.seen, decode([stream]).seen)
  t.end()
})

t.test('after a header that stops, nothing is looked at, cut or not', t => {
  const bytes = Buffer.concat([frame(0, 1), Buffer.from([2, 9]), frame(0, 1)])
  for (let cut = 0; cut < bytes.length; cut++) {
    const sink = new Sink()
    const stop = frame(0, 1).length + 2
    t.equal(decodeChunk(sink, bytes.subarray(0, cut)), cut)
    if (cut < stop) t.equal(decodeChunk(sink, bytes.subarray(cut)), bytes.length - cut)
    t.same([sink.seen.length, sink.partial], [cut >= 18 || cut < stop ? 1 : 0, undefined])
  }
  t.end()
})
