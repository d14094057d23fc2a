/**
 * Deals accepted sockets out to the shards that dialled: in turn, to those that have taken nearly all they were given. What
 * finds no such shard, in a burst or while a lone shard is replaced, is held rather than refused, up to a bound.
 */
import type { Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import type { HandoffDialled, HandoffMessage, HandoffWord } from './handoff-messages.ts'
import { PostedSockets } from './handoff-window.ts'

/** Sockets held. Of more, one is handed to a shard all the same; when none is there it is reset. */
export const heldSocketsMax = 1_024

/** The listener's side of all handoff channels. */
export interface HandoffDispatch {
  /** It listens: the shards that dialled before are told, and those that dial from now on. */
  listening(boundPort: number): void
  /** A shard asks for sockets. */
  dial(dialled: HandoffDialled): void
  /** Hands over a socket that nobody has read; false when there is nobody, nor room to hold it: it was reset. */
  give(socket: Socket): boolean
  /** A thread is about to end: it is given none any more. */
  threadEnding(threadId: number): void
  /** Tells the shards that no socket follows, and resets those that none took. */
  end(): void
  /** Hangs up without a word, as a failure does: the shards dial again. */
  abandon(): void
  /** Shards in rotation, sockets held. */
  readonly figures: { readonly shards: number; readonly held: number }
}

/** A shard in the rotation. */
interface Shard {
  readonly threadId: number
  readonly port: MessagePort
  readonly posted: PostedSockets
}

/** Creates a dispatch for a listener at `boundPort`, or for one that does not listen yet: shards can dial it meanwhile. */
export function createHandoffDispatch(boundPort?: number): HandoffDispatch {
  const rotation: Shard[] = []
  const held: Socket[] = []
  let turn = 0
  let listeningAt = boundPort

  function leave(shard: Shard): void {
    const index = rotation.indexOf(shard)
    if (index < 0) return
    rotation.splice(index, 1)
    if (turn > index) turn--
  }

  function resetHeld(): void {
    for (const socket of held.splice(0)) socket.resetAndDestroy()
  }

  function next(): Shard {
    turn = (turn + 1) % rotation.length
    return rotation[turn]!
  }

  function nextWithRoom(): Shard | undefined {
    for (let tried = 0; tried < rotation.length; tried++) {
      const shard = next()
      if (shard.posted.hasRoom) return shard
    }
    return undefined
  }

  function hand(shard: Shard, socket: Socket): void {
    try {
      shard.port.postMessage({ type: 'socket', socket } satisfies HandoffMessage, [socket])
      shard.posted.add()
    } catch {
      // It was closed before it could be moved.
      socket.destroy()
    }
  }

  function dealOut(): void {
    while (held.length > 0) {
      const shard = nextWithRoom()
      if (shard !== undefined) hand(shard, held.shift()!)
      else if (!hasGotRoom()) return
    }
  }

  /** Asks all shards to tell of room; true when one has got some in this very moment. */
  function hasGotRoom(): boolean {
    for (const { posted } of rotation) posted.want()
    return rotation.some(({ posted }) => posted.hasRoom)
  }

  function hear(shard: Shard, message: HandoffWord): void {
    if (message.type === 'stop') {
      leave(shard)
      tell(shard, { type: 'stopped' })
    }
    dealOut()
  }

  return {
    listening(port) {
      listeningAt = port
      for (const shard of rotation) tell(shard, { type: 'bound', port })
    },
    dial({ port, threadId, window }) {
      const shard = { threadId, port, posted: new PostedSockets(window) }
      rotation.push(shard)
      port.on('close', () => leave(shard))
      port.on('message', message => hear(shard, message))
      port.unref()
      if (listeningAt !== undefined) tell(shard, { type: 'bound', port: listeningAt })
      dealOut()
    },
    give(socket) {
      if (held.length < heldSocketsMax) {
        held.push(socket)
        dealOut()
      } else if (rotation.length > 0) hand(next(), socket)
      else {
        socket.resetAndDestroy()
        return false
      }
      return true
    },
    threadEnding(threadId) {
      for (const shard of rotation.filter(shard => shard.threadId === threadId)) leave(shard)
    },
    end() {
      for (const shard of rotation.splice(0)) tell(shard, { type: 'ended' })
      resetHeld()
    },
    abandon() {
      for (const { port } of rotation.splice(0)) port.close()
      resetHeld()
    },
    get figures() {
      return { shards: rotation.length, held: held.length }
    },
  }
}

function tell({ port }: Shard, message: HandoffMessage): void {
  port.postMessage(message)
}
