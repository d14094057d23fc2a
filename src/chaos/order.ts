/** What the injector tells a thread to do: the part of a fault that has to happen there. Data that can be cloned. */
import type { CrashHow, TrafficFault } from './fault.ts'

/** An order, and what is answered. */
export type Order =
  /** End an actor: answers a {@link KernelMessage} of the type `kernel.exited`, encoded. */
  | { readonly do: 'end'; readonly address: string; readonly how: 'kill' | 'throw' | 'reject' }
  /** Look an actor up that lives: answers a {@link Living}. */
  | { readonly do: 'look'; readonly address: string }
  /** Keep, or no longer keep, an incarnation from its mailbox. `pause` answers a {@link Living}. */
  | { readonly do: 'pause'; readonly address: string }
  | { readonly do: 'resume'; readonly address: string; readonly incarnation: number }
  /** Interfere, or no longer, with what an actor of this thread sends. */
  | { readonly do: 'interfere'; readonly id: number; readonly fault: TrafficFault }
  | { readonly do: 'lift'; readonly id: number }
  /** To a shard, all answered before they begin: crash, spin (`begun` turns 1 then), sleep until `releaseShard`. */
  | { readonly do: 'crash'; readonly how: CrashHow }
  | { readonly do: 'spin'; readonly forMs: number; readonly begun: Int32Array<SharedArrayBuffer> }
  | { readonly do: 'hold' }
  /** To a shard: answers when it gets to it. */
  | { readonly do: 'answer' }

/** An actor that lives. */
export interface Living {
  readonly incarnation: number
  /** Export name of its definition, `supervisor` for a supervisor. */
  readonly definition: string
}
