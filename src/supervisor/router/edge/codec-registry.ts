/**
 * The binary codecs that a thread can read, numbered in the order they were added.
 *
 * Each thread tells the others their names in that order, so a number always means the receiver's own codec, and a sender
 * uses one only once it knows that the receiver has it. Definitions may be loaded at any time on either side.
 */
import type { EventCodec, NamedCodec } from '../../../messages/thread/event-codec.ts'

/** The most codecs a thread can have: their numbers are u16. */
export const codecsMax = 65_535

/** Codecs of one thread, shared by its edges. */
export interface CodecRegistry {
  /** Adds a codec; one of the same name that is there already is kept. Edges tell the other threads. */
  add(codec: NamedCodec): void
  /** The codec of that number, from 1. */
  at(number: number): EventCodec | undefined
  /** Names in the order of their numbers, which start at 1. */
  readonly names: readonly string[]
  /** Calls `listener` after each codec that was added; the function returned ends that. */
  onAdded(listener: () => void): () => void
}

/** An empty registry. Past {@link codecsMax} it takes no more: events whose codec it does not have are cloned. */
export function createCodecRegistry(): CodecRegistry {
  const codecs: EventCodec[] = []
  const names: string[] = []
  const known = new Set<string>()
  const listeners = new Set<() => void>()
  return {
    add({ name, codec }) {
      if (known.has(name) || codecs.length >= codecsMax) return
      known.add(name)
      codecs.push(codec)
      names.push(name)
      for (const listener of listeners) listener()
    },
    at: number => codecs[number - 1],
    names,
    onAdded(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
