/** The listeners of this thread that shards can dial, and the way a shard dials one of any thread. */
import { MessageChannel, type MessagePort, postMessageToThread, threadId } from 'node:worker_threads'
import type { HandoffAddress } from './config.ts'
import type { HandoffDispatch } from './handoff-dispatch.ts'
import { type HandoffDial, isHandoffDial } from './handoff-messages.ts'

const dispatches = new Map<string, HandoffDispatch>()

/** Makes a dispatch reachable under `listener`; the returned function takes it away. */
export function registerHandoff(listener: string, dispatch: HandoffDispatch): () => void {
  if (dispatches.size === 0) process.on('workerMessage', onWorkerMessage)
  dispatches.set(listener, dispatch)
  return () => {
    if (dispatches.get(listener) !== dispatch) return
    dispatches.delete(listener)
    if (dispatches.size === 0) process.off('workerMessage', onWorkerMessage)
  }
}

function onWorkerMessage(value: unknown): void {
  if (isHandoffDial(value)) connect(value)
}

/** A dial that nobody answers is hung up, which tells the shard at once. */
function connect({ starfishHandoff: { listener, port } }: HandoffDial): void {
  const dispatch = dispatches.get(listener)
  if (dispatch === undefined) port.close()
  else dispatch.dial(port)
}

/** Dials a listener; resolves to the shard's end of the channel. Rejects when the listener's thread cannot be reached. */
export async function dialHandoff(address: HandoffAddress, shard: number): Promise<MessagePort> {
  const { port1, port2 } = new MessageChannel()
  const dial: HandoffDial = { starfishHandoff: { listener: address.listener, shard, port: port2 } }
  try {
    if (address.threadId === threadId) connect(dial)
    else await postMessageToThread(address.threadId, dial, [port2])
  } catch (error) {
    port1.close()
    throw error
  }
  return port1
}
