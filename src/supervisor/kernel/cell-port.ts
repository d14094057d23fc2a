/**
 * An actor's hands: what its chart's actions and its I/O can do to the world, each bound to one incarnation.
 */
import type { ActorEvent, ActorLogger, ActorRuntime, OwnExit } from '../../actors/runtime/actor-runtime.ts'
import type { ActorPort, Message, ReplyToken } from '../../actors/runtime/runtime-actions.ts'
import { badArgument, checkAddress, checkEvent } from '../../messages/argument-check.ts'
import { show } from '../../messages/option-faults.ts'
import { createEnvelope } from '../../messages/thread/envelope.ts'
import type { ActorExit } from '../../messages/thread/exit.ts'
import { checkDelay, checkListener, reservedTarget } from '../argument-check.ts'
import type { ActorCell } from './cell.ts'
import { delayedSendsError } from './delivery-errors.ts'
import type { Kernel } from './kernel.ts'
import { isReserved } from './well-known.ts'

/** The port of one incarnation. */
export function createCellPort(kernel: Kernel, cell: ActorCell): ActorPort {
  const { address } = cell.entry
  return {
    reply(type, value) {
      const { turn } = cell
      const token = turn?.token
      if (token === undefined || turn?.message?.event.type !== type || turn.settled !== 'open') return
      turn.settled = 'replied'
      cell.openRequests.close(token)
      // The last answer of the moment does not wait for its own turn to end.
      kernel.reply(token, { ok: true, value }, kernel.turns.isLast(cell))
    },
    takeReplyToken() {
      const { turn } = cell
      if (turn?.message === undefined || turn.token === undefined) return undefined
      cell.keepRequest(turn)
      return turn.token
    },
    replyTo: (token, value) => settle(kernel, cell, token, { ok: true, value }),
    replyErrorTo: (token, error) => settle(kernel, cell, token, { ok: false, error }),
    send: message => sendFrom(kernel, address, message),
    sendAfter: (delayMs, message, id) => sendAfter(kernel, cell, { delayMs, message, id }),
    cancelSend(id) {
      cell.delayedSends.get(id)?.()
      cell.delayedSends.delete(id)
    },
    watch(watched) {
      checkAddress('watch', 'address', watched)
      watchFor(kernel, cell, watched)
    },
    unwatch(watched) {
      const listener = cell.watching.get(watched)
      cell.watching.delete(watched)
      if (listener !== undefined) kernel.unwatch(watched, listener)
    },
    spawn: child => kernel.lifecycle.spawnFor(cell, child),
    stopChild: id => kernel.lifecycle.stopChild(`${address}/${id}`),
    join(group) {
      cell.groups.add(group)
      kernel.changeGroup(group, address, true)
    },
    leave(group) {
      cell.groups.delete(group)
      kernel.changeGroup(group, address, false)
    },
    postpone() {
      if (cell.turn?.message !== undefined) cell.turn.postponed = true
    },
  }
}

/** What `provide` and `init` of a definition are handed. */
export function createActorRuntime(kernel: Kernel, cell: ActorCell): ActorRuntime {
  const { address } = cell.entry
  let log: ActorLogger | undefined
  let watches: ActorRuntime['watch'] | undefined
  return {
    address,
    incarnation: cell.incarnation,
    shard: kernel.shard,
    clock: kernel.clock,
    random: kernel.random,
    // Made when it is used: most actors never say a word.
    get log() {
      log ??= kernel.logger.child({ actor: address, incarnation: cell.incarnation }) as ActorLogger
      return log
    },
    feed(event) {
      if (cell.ended) return
      cell.mailbox.put(createEnvelope({ to: address, from: address, event, lane: 'control' }))
      // What is fed before the chart runs waits for it.
      if (cell.entry.cell === cell) kernel.wake(cell)
    },
    fail: error => kernel.lifecycle.end(cell, { type: 'threw', error }),
    exit(reason) {
      checkOwnExit(reason)
      kernel.lifecycle.end(cell, reason)
    },
    send: (to, event, codec) => sendFrom(kernel, address, codec === undefined ? { to, event } : { to, event, codec }),
    ask: (to, event, options, codec) => {
      // Only kernels talk to the supervisors that a system is made of.
      if (typeof to === 'string' && isReserved(to)) return Promise.reject(reservedTarget('ask', to))
      return kernel.ask(cell, to, event, options, codec)
    },
    watch(watched, listener) {
      checkAddress('watch', 'address', watched)
      checkListener('watch', listener)
      watches ??= openWatches(kernel, cell)
      return watches(watched, listener)
    },
    host: table => kernel.hosts.add(cell, table),
    onStop(cleanup) {
      if (cell.ended) kernel.lifecycle.cleanUpLate(cell, cleanup)
      else cell.cleanups.push(cleanup)
    },
  }
}

/** Begins to watch for an actor's I/O: what is still watched when the actor ends is then taken back. */
function openWatches(kernel: Kernel, cell: ActorCell): ActorRuntime['watch'] {
  const open = new Set<() => void>()
  cell.cleanups.push(() => {
    for (const takeBack of open) takeBack()
  })
  return (watched, listener) => {
    const told = (exit: ActorExit) => {
      open.delete(takeBack)
      if (!cell.ended) kernel.runAs(cell, () => listener(exit))
    }
    const takeBack = () => {
      open.delete(takeBack)
      kernel.unwatch(watched, told)
    }
    open.add(takeBack)
    kernel.watch(watched, told)
    return takeBack
  }
}

function checkOwnExit(reason: OwnExit): void {
  const type: unknown = reason?.type
  if (type === 'normal' || type === 'shutdown') return
  throw badArgument('exit', 'reason', `is ${show(reason)}, not { type: 'normal' } or { type: 'shutdown' }`)
}

/** What an actor sends to a supervisor of the system becomes a dead letter: only kernels talk to those. */
function sendFrom(kernel: Kernel, from: string, { to, event, codec }: Message): void {
  checkMessage('send', to, event)
  if (isReserved(to)) kernel.refuse(createEnvelope({ from, to, event, codec }), 'NO_SUCH_ACTOR')
  else kernel.send(from, to, event, 'normal', codec)
}

function checkMessage(call: string, to: unknown, event: unknown): void {
  checkAddress(call, 'to', to)
  checkEvent(call, event)
}

function settle(kernel: Kernel, cell: ActorCell, token: ReplyToken, outcome: Parameters<Kernel['reply']>[1]): void {
  cell.openRequests.close(token)
  kernel.reply(token, outcome)
}

interface DelayedSend {
  readonly delayMs: number
  readonly message: Message
  readonly id: string | undefined
}

const delayedSendsMax = 10_000

function sendAfter(kernel: Kernel, cell: ActorCell, { delayMs, message, id }: DelayedSend): void {
  checkMessage('sendAfter', message.to, message.event)
  checkDelay('sendAfter', delayMs)
  const key = id ?? `#${cell.delayedSendCount++}`
  cell.delayedSends.get(key)?.()
  cell.delayedSends.delete(key)
  if (cell.delayedSends.size >= delayedSendsMax) throw delayedSendsError(cell.entry.address, delayedSendsMax)
  const timer = kernel.clock.setTimeout(() => {
    cell.delayedSends.delete(key)
    sendFrom(kernel, cell.entry.address, message)
  }, delayMs)
  cell.delayedSends.set(key, () => kernel.clock.clearTimeout(timer))
}

function watchFor(kernel: Kernel, cell: ActorCell, watched: string): void {
  if (cell.watching.has(watched)) return
  const { address } = cell.entry
  const listener = (exit: ActorExit) => {
    cell.watching.delete(watched)
    kernel.post(
      createEnvelope({
        to: address,
        toIncarnation: cell.incarnation,
        from: watched,
        event: { type: 'actor.exited', exit } as ActorEvent,
        lane: 'control',
      }),
    )
  }
  cell.watching.set(watched, listener)
  kernel.watch(watched, listener)
}
