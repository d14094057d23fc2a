/**
 * Cuts a stream of bytes into frames of a fixed header and a body whose length the header declares.
 *
 * Frames that lie whole in a chunk are handed out in place: nothing is copied and nothing allocated. Only what a chunk
 * leaves unfinished is kept, and a body only after its header was accepted, in a buffer that grows with the bytes that
 * really came (at most doubling), so that a large declared length costs its sender the bytes, not the receiver the memory.
 */

/** A frame of which only a part has arrived. */
export interface PartialFrame {
  /** What has come of it from its first byte on; nothing when it is being skipped. */
  bytes: Buffer
  /** How much of `bytes` is filled. */
  haveBytes: number
  /** The frame's size once its header is whole, the header's size before. */
  needBytes: number
  /** `header`: not whole yet; `body`: accepted; `skip`: refused, the rest is thrown away as it comes. */
  stage: 'header' | 'body' | 'skip'
  /** All bytes of the frame that have come, kept or not: what a minimum rate is measured by. */
  arrivedBytes: number
  /** For the owner: `arrivedBytes` when it began to measure last. */
  markBytes: number
  /** For the owner: when it began to measure last; -1 while it has not taken notice of this stage. */
  markAtMs: number
}

/** The owner of a stream: judges headers, takes frames, keeps the unfinished one between chunks. */
export interface FrameSink {
  readonly headerBytes: number
  partial: PartialFrame | undefined
  /** Judges a whole header before a byte of its body is kept: body bytes to wait for, {@link skipBody} or {@link STOP}. */
  onHeader(bytes: Buffer, at: number): number
  /** Takes a whole frame, valid during the call only. */
  onFrame(bytes: Buffer, at: number, bodyBytes: number): void
  /** Asked between frames; false leaves the rest of the chunk for later. */
  mayDecode(): boolean
  /**
   * Asked for `bytes` of memory for a body, `growBytes` more than it has; undefined refuses it and has the body skipped.
   */
  allocate(bytes: number, growBytes: number, header: Buffer): Buffer | undefined
  /** Told of memory that held a frame, or the beginning of one, and is not looked at any more. */
  recycle?(bytes: Buffer): void
}

/** Verdict on a header: nothing that follows can be understood; the rest of the stream is not looked at. */
export const STOP = Number.NEGATIVE_INFINITY

/** Verdict on a header: throw its body of `bodyBytes` away and go on with the next frame. */
export function skipBody(bodyBytes: number): number {
  return -1 - bodyBytes
}

const smallestBodyBufferBytes = 512

/**
 * Decodes `chunk` from `from` on. Returns the offset of the first byte that was not consumed: the chunk's length,
 * unless the sink asked to stop between frames. After {@link STOP} everything counts as consumed.
 */
export function decodeChunk(sink: FrameSink, chunk: Buffer, from = 0): number {
  let at = from
  if (sink.partial !== undefined) {
    at = continuePartial(sink, sink.partial, chunk, at)
    if (sink.partial !== undefined || at === chunk.length || !sink.mayDecode()) return at
  }
  const { headerBytes } = sink
  const end = chunk.length
  while (at < end) {
    if (end - at < headerBytes) {
      sink.partial = keepHeader(chunk, at, headerBytes)
      return end
    }
    const verdict = sink.onHeader(chunk, at)
    if (verdict === STOP) return end
    const frameBytes = headerBytes + (verdict >= 0 ? verdict : -1 - verdict)
    if (end - at < frameBytes) {
      if (verdict >= 0) keepBody(sink, chunk, at, frameBytes)
      else sink.partial = skipping(frameBytes, end - at)
      return end
    }
    if (verdict >= 0) sink.onFrame(chunk, at, verdict)
    at += frameBytes
    if (!sink.mayDecode()) return at
  }
  return at
}

function keepHeader(chunk: Buffer, at: number, headerBytes: number): PartialFrame {
  const bytes = Buffer.allocUnsafeSlow(headerBytes)
  const haveBytes = chunk.copy(bytes, 0, at)
  return {
    bytes,
    haveBytes,
    needBytes: headerBytes,
    stage: 'header',
    arrivedBytes: haveBytes,
    markBytes: 0,
    markAtMs: -1,
  }
}

/** Keeps an accepted frame that is not whole. For its body nothing is kept before a byte of it has come. */
function keepBody(sink: FrameSink, chunk: Buffer, at: number, frameBytes: number): void {
  const arrived = chunk.length - at
  if (arrived === sink.headerBytes) {
    sink.partial = { ...keepHeader(chunk, at, arrived), needBytes: frameBytes, stage: 'body' }
    return
  }
  const capacity = Math.min(frameBytes, Math.max(smallestBodyBufferBytes, arrived * 2))
  const bytes = sink.allocate(capacity, capacity, chunk.subarray(at, at + sink.headerBytes))
  if (bytes === undefined) {
    sink.partial = skipping(frameBytes, arrived)
    return
  }
  chunk.copy(bytes, 0, at)
  sink.partial = {
    bytes,
    haveBytes: arrived,
    needBytes: frameBytes,
    stage: 'body',
    arrivedBytes: arrived,
    markBytes: 0,
    markAtMs: -1,
  }
}

const nothing = Buffer.alloc(0)

function skipping(needBytes: number, arrivedBytes: number): PartialFrame {
  return { bytes: nothing, haveBytes: 0, needBytes, stage: 'skip', arrivedBytes, markBytes: 0, markAtMs: -1 }
}

/** Feeds the unfinished frame; returns how far the chunk has been consumed. */
function continuePartial(sink: FrameSink, partial: PartialFrame, chunk: Buffer, from: number): number {
  let at = from
  if (partial.stage === 'header') {
    at = take(partial, chunk, at)
    if (partial.haveBytes < partial.needBytes) return at
    const verdict = sink.onHeader(partial.bytes, 0)
    if (verdict === STOP) {
      sink.partial = undefined
      return chunk.length
    }
    if (verdict === 0) {
      sink.partial = undefined
      sink.onFrame(partial.bytes, 0, 0)
      return at
    }
    partial.stage = verdict > 0 ? 'body' : 'skip'
    partial.needBytes = sink.headerBytes + (verdict > 0 ? verdict : -1 - verdict)
    partial.markAtMs = -1
  }
  if (partial.stage === 'body' && !room(sink, partial, chunk.length - at)) {
    partial.stage = 'skip'
    partial.bytes = nothing
  }
  if (partial.stage === 'body') {
    at = take(partial, chunk, at)
    if (partial.haveBytes < partial.needBytes) return at
    sink.partial = undefined
    sink.onFrame(partial.bytes, 0, partial.needBytes - sink.headerBytes)
    sink.recycle?.(partial.bytes)
    return at
  }
  const skipped = Math.min(partial.needBytes - partial.arrivedBytes, chunk.length - at)
  partial.arrivedBytes += skipped
  if (partial.arrivedBytes === partial.needBytes) sink.partial = undefined
  return at + skipped
}

/** Copies what the frame still needs, and the chunk has, into its buffer. */
function take(partial: PartialFrame, chunk: Buffer, at: number): number {
  const count = Math.min(partial.needBytes - partial.haveBytes, chunk.length - at)
  chunk.copy(partial.bytes, partial.haveBytes, at, at + count)
  partial.haveBytes += count
  partial.arrivedBytes += count
  return at + count
}

/** Makes room for `incoming` more bytes of the body, if the owner allows it. */
function room(sink: FrameSink, partial: PartialFrame, incoming: number): boolean {
  const wanted = Math.min(partial.needBytes, partial.haveBytes + incoming)
  if (wanted <= partial.bytes.length) return true
  const capacity = Math.min(partial.needBytes, Math.max(smallestBodyBufferBytes, wanted * 2))
  const header = partial.bytes.subarray(0, sink.headerBytes)
  const grown = sink.allocate(capacity, capacity - partial.bytes.length, header)
  if (grown === undefined) return false
  partial.bytes.copy(grown, 0, 0, partial.haveBytes)
  sink.recycle?.(partial.bytes)
  partial.bytes = grown
  return true
}
