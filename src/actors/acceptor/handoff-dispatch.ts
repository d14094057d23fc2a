/**
 * Deals accepted sockets out to the shards that dialled, in turn. While no shard is there, for the moments in which a
 * lone one is replaced, it holds a bounded number of sockets rather than refuse them.
 */
import type { Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import type { HandoffMessage } from './handoff-messages.ts'

/** Sockets held while no shard is there; one more is reset. */
export const heldSocketsMax = 1_024

/** The listener's side of all handoff channels. */
export interface HandoffDispatch {
  /** It listens: the shards that dialled before are told, and those that dial from now on. */
  listening(boundPort: number): void
  /** A shard asks for sockets. */
  dial(port: MessagePort): void
  /** Hands over a socket that nobody has read. */
  give(socket: Socket): void
  /** Tells the shards that no socket follows, and resets those that none took. */
  end(): void
  /** Hangs up without a word, as a failure does: the shards dial again. */
  abandon(): void
  /** Shards in rotation, sockets held. */
  readonly figures: { readonly shards: number; readonly held: number }
}

/** Creates a dispatch for a listener at `boundPort`, or for one that does not listen yet: shards can dial it meanwhile. */
export function createHandoffDispatch(boundPort?: number): HandoffDispatch {
  const rotation: MessagePort[] = []
  const held: Socket[] = []
  let turn = 0
  let listeningAt = boundPort

  function leave(port: MessagePort): void {
    const index = rotation.indexOf(port)
    if (index < 0) return
    rotation.splice(index, 1)
    if (turn > index) turn--
  }

  function resetHeld(): void {
    for (const socket of held.splice(0)) socket.resetAndDestroy()
  }

  function give(socket: Socket): void {
    if (rotation.length === 0) {
      if (held.length < heldSocketsMax) held.push(socket)
      else socket.resetAndDestroy()
      return
    }
    turn = (turn + 1) % rotation.length
    try {
      rotation[turn]!.postMessage({ type: 'socket', socket } satisfies HandoffMessage, [socket])
    } catch {
      // It was closed before it could be moved.
      socket.destroy()
    }
  }

  return {
    listening(port) {
      listeningAt = port
      for (const shard of rotation) post(shard, { type: 'bound', port })
    },
    dial(port) {
      rotation.push(port)
      port.on('close', () => leave(port))
      port.on('message', () => {
        leave(port)
        post(port, { type: 'stopped' })
      })
      port.unref()
      if (listeningAt !== undefined) post(port, { type: 'bound', port: listeningAt })
      for (const socket of held.splice(0)) give(socket)
    },
    give,
    end() {
      for (const port of rotation.splice(0)) post(port, { type: 'ended' })
      resetHeld()
    },
    abandon() {
      for (const port of rotation.splice(0)) port.close()
      resetHeld()
    },
    get figures() {
      return { shards: rotation.length, held: held.length }
    },
  }
}

function post(port: MessagePort, message: HandoffMessage): void {
  port.postMessage(message)
}
