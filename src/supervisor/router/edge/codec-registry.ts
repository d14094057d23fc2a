/**
 * The binary codecs that a thread knows, numbered in the order they were added.
 *
 * Each thread tells the others its event types in that order, so a number always means the receiver's own codec, and a
 * sender uses one only once it knows that the receiver has it. Definitions may be loaded at any time on either side.
 */
import type { EventCodec } from '../../../messages/thread/event-codec.ts'

/** The most codecs a thread can have: their numbers are u16. */
export const codecsMax = 65_535

/** Codecs of one thread, shared by its edges. */
export interface CodecRegistry {
  /** Adds a codec; one of the same type that is there already is kept. Edges tell the other threads. */
  add(codec: EventCodec): void
  /** The codec of that event type, if any. */
  get(type: string): EventCodec | undefined
  /** The codec of that number, from 1. */
  at(number: number): EventCodec | undefined
  /** Event types in the order of their numbers, which start at 1. */
  readonly types: readonly string[]
  /** Calls `listener` after each codec that was added; the function returned ends that. */
  onAdded(listener: () => void): () => void
}

/** An empty registry. `add` throws a RangeError past {@link codecsMax}. */
export function createCodecRegistry(): CodecRegistry {
  const codecs: EventCodec[] = []
  const types: string[] = []
  const byType = new Map<string, EventCodec>()
  const listeners = new Set<() => void>()
  return {
    add(codec) {
      if (byType.has(codec.type)) return
      if (codecs.length >= codecsMax) throw new RangeError(`a thread can have ${codecsMax} event codecs`)
      byType.set(codec.type, codec)
      codecs.push(codec)
      types.push(codec.type)
      for (const listener of listeners) listener()
    },
    get: type => byType.get(type),
    at: number => codecs[number - 1],
    types,
    onAdded(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
