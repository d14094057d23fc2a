/**
 * A port as Comlink wants one, listened to in Node's own way. A listener of the web's kind is handed an event object,
 * whose class Node keeps beside its HTTP client: the first one costs a thread some 30 ms of processor time and 5 MB.
 */
import type { MessagePort, Transferable } from 'node:worker_threads'
import type { Endpoint } from 'comlink'

type Listener = (event: { readonly data: unknown }) => void

/** Makes an endpoint of a port. */
export function nodeEndpoint(port: MessagePort): Endpoint {
  const listeners = new Map<unknown, (data: unknown) => void>()
  return {
    postMessage: (message: unknown, transfer: unknown[] = []) => port.postMessage(message, transfer as Transferable[]),
    addEventListener(_type, listener) {
      const listen = (data: unknown): void => (listener as unknown as Listener)({ data })
      listeners.set(listener, listen)
      port.on('message', listen)
    },
    removeEventListener(_type, listener) {
      const listen = listeners.get(listener)
      if (listen !== undefined) port.off('message', listen)
      listeners.delete(listener)
    },
    start: () => port.start(),
  }
}
