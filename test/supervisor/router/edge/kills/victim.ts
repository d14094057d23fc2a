/**
 * The thread that is killed: it admits, refuses, postpones, drops, keeps in hand and answers, counts each for itself, and
 * dies as it was told to.
 */
import { type MessagePort, workerData } from 'node:worker_threads'
import type { Envelope } from '../../../../../src/messages/thread/envelope.ts'
import { createCodecRegistry } from '../../../../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../../../../src/supervisor/router/edge/edge.ts'
import { Ledger } from './ledger.ts'
import { type EndOfEdge, loadLimits } from './load.ts'
import { namedLoadCodec } from './load-codec.ts'

/** How the victim dies: of itself, or it spins, or it waits to be terminated; or it lives on while its senders close. */
export type Death = 'terminate' | 'exit' | 'throw' | 'spin' | 'fence'

/** What a victim is started with. */
export interface VictimData {
  readonly ends: readonly (EndOfEdge & { readonly port: MessagePort })[]
  readonly death: Death
  /** It dies with a message in hand, once the edge that `deathEdge` names has ended this many. */
  readonly deathAfter: number
  readonly deathEdge: number
}

const { ends, death, deathAfter, deathEdge } = workerData as VictimData

function open(end: VictimData['ends'][number], index: number): void {
  const ledger = new Ledger(end.ledger)
  const codecs = createCodecRegistry()
  codecs.add(namedLoadCodec)
  let mailbox: Envelope[] = []
  let later: (() => void)[] = []
  let planned = false
  const last = { control: -1, normal: -1 }

  const edge = createEdge({
    ...end,
    ...loadLimits,
    codecs,
    deliver(message) {
      ledger.add('delivered')
      const number = numberOf(message)
      if (number <= last[message.lane]) ledger.add('outOfOrder')
      last[message.lane] = number
      if (mailbox.length >= loadLimits.mailboxMax) {
        ledger.add('refused')
        return 'MAILBOX_FULL'
      }
      mailbox.push(message)
      plan()
      return 'admitted'
    },
    onReply() {},
    onRefused() {},
    onClose() {},
  })
  end.port.ref()

  function plan(): void {
    if (planned) return
    planned = true
    setImmediate(work)
  }

  function work(): void {
    planned = false
    const due = later
    later = []
    for (const run of due) run()
    const batch = mailbox
    mailbox = []
    for (let at = 0; at < batch.length; at++) handle(batch[at]!)
    if (mailbox.length + later.length > 0) plan()
  }

  function handle(message: Envelope): void {
    const number = numberOf(message)
    const { receipts, token } = message
    if (number % 31 === 5) {
      ledger.add('refused')
      receipts.refuse(token, 'ACTOR_DIED')
      return
    }
    if (!receipts.start(token)) return
    ledger.add('begun')
    if (message.requestId !== 0) ledger.mark(message.requestId, true)
    if (number % 17 === 3 && !postponed.has(number)) postpone(message, number)
    else if (number % 13 === 2) later.push(() => conclude(message))
    else conclude(message)
  }

  const postponed = new Set<number>()
  function postpone(message: Envelope, number: number): void {
    postponed.add(number)
    if (message.requestId !== 0) ledger.mark(message.requestId, false)
    ledger.add('begun', -1)
    message.receipts.putBack(message.token)
    later.push(() => void mailbox.push(message))
  }

  function conclude(message: Envelope): void {
    for (let spin = 0; spin < 300; spin++) Math.sqrt(spin)
    if (index === deathEdge && ledger.get('ended') >= deathAfter) die()
    if (message.requestId !== 0) edge.reply(message.requestId, { status: 'ok', value: numberOf(message) })
    ledger.add('ended')
    message.receipts.finish(message.token)
  }
}

function die(): void {
  if (death === 'exit') process.exit(3)
  if (death === 'throw') throw new Error('as told')
  for (const { ledger } of ends) new Ledger(ledger).add('doomed')
  while (death === 'spin') Math.random()
}

function numberOf(message: Envelope): number {
  return (message.event as unknown as { number: number }).number
}

ends.forEach(open)
