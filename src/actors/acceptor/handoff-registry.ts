/** The listeners of this thread that shards can dial, and the way a shard dials one of any thread. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { MessageChannel, type MessagePort, postMessageToThread, threadId } from 'node:worker_threads'
import { type ThreadEnding, threadEndingChannel } from '../../messages/thread/host.ts'
import type { HandoffAddress } from './config.ts'
import type { HandoffDispatch } from './handoff-dispatch.ts'
import { type HandoffDial, isHandoffDial } from './handoff-messages.ts'
import { createHandoffWindow } from './handoff-window.ts'

const dispatches = new Map<string, HandoffDispatch>()

/** Makes a dispatch reachable under `listener`; the returned function takes it away. */
export function registerHandoff(listener: string, dispatch: HandoffDispatch): () => void {
  if (dispatches.size === 0) {
    process.on('workerMessage', onWorkerMessage)
    subscribe(threadEndingChannel, onThreadEnding)
  }
  dispatches.set(listener, dispatch)
  return () => {
    if (dispatches.get(listener) !== dispatch) return
    dispatches.delete(listener)
    if (dispatches.size > 0) return
    process.off('workerMessage', onWorkerMessage)
    unsubscribe(threadEndingChannel, onThreadEnding)
  }
}

function onWorkerMessage(value: unknown): void {
  if (isHandoffDial(value)) connect(value)
}

function onThreadEnding(message: unknown): void {
  for (const dispatch of dispatches.values()) dispatch.threadEnding((message as ThreadEnding).threadId)
}

/** A dial that nobody answers is hung up, which tells the shard at once. */
function connect({ starfishHandoff }: HandoffDial): void {
  const dispatch = dispatches.get(starfishHandoff.listener)
  if (dispatch === undefined) starfishHandoff.port.close()
  else dispatch.dial(starfishHandoff)
}

/** The shard's end of a channel to a listener. */
export interface HandoffChannel {
  readonly port: MessagePort
  readonly window: SharedArrayBuffer
}

/** Dials a listener; resolves to the shard's end of the channel. Rejects when the listener's thread cannot be reached. */
export async function dialHandoff(address: HandoffAddress, shard: number): Promise<HandoffChannel> {
  const { port1, port2 } = new MessageChannel()
  const window = createHandoffWindow()
  const dialled = { listener: address.listener, shard, threadId, port: port2, window }
  const dial: HandoffDial = { starfishHandoff: dialled }
  try {
    if (address.threadId === threadId) connect(dial)
    else await postMessageToThread(address.threadId, dial, [port2])
  } catch (error) {
    port1.close()
    throw error
  }
  return { port: port1, window }
}
