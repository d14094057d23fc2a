/** The sending side of a kill: keeps an edge full until it closes, and says what it was told. */
import { createRandom } from '../../../../../src/actors/runtime/clock.ts'
import { createEnvelope, type Envelope } from '../../../../../src/messages/thread/envelope.ts'
import { createCodecRegistry } from '../../../../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../../../../src/supervisor/router/edge/edge.ts'
import type { EdgePort } from '../../../../../src/supervisor/router/edge/edge-contract.ts'
import type { EdgeReport } from '../../../../../src/supervisor/router/edge/report.ts'
import { Ledger, requestsMax } from './ledger.ts'
import { loadCodec, namedLoadCodec } from './load-codec.ts'

/** One end of an edge, as it is handed to a thread. */
export interface EndOfEdge {
  readonly port: EdgePort
  readonly outbound: SharedArrayBuffer
  readonly inbound: SharedArrayBuffer
  /** Ledger of the receiver of `outbound` on the sending side, of `inbound` on the receiving side. */
  readonly ledger: SharedArrayBuffer
  readonly seed: number
  /** The sender closes the edge itself once the receiver has come so far, and the receiver lives on. */
  readonly fence: boolean
}

/** What a sender has done and was told; clonable. */
export interface Told {
  readonly report: Omit<EdgeReport, 'fates' | 'unsent'> & { readonly unsent: number; readonly listed: number }
  /** Messages that `post` took. */
  readonly accepted: number
  readonly notClonable: number
  readonly refused: number
  readonly asks: number
  /** Asks that were answered, refused or settled by the close, each of them once. */
  readonly settled: number
  /** Requests that were settled by the close as certainly not handled. */
  readonly toldNo: readonly number[]
}

/** Limits of the edges under test: small ones, so that every wait and every refusal takes place. */
export const loadLimits = { window: 128, outboxMax: 256, slots: 1_024, reportMax: 50, mailboxMax: 300 } as const

/** Posts without pause; resolves once the edge has closed. */
export function runLoad(end: EndOfEdge): Promise<Told> {
  const ledger = new Ledger(end.ledger)
  const nextMessage = createSource(end.seed)
  const codecs = createCodecRegistry()
  codecs.add(namedLoadCodec)
  const asks = new Map<number, Envelope>()
  const counts = { accepted: 0, asks: 0, settled: 0, refused: 0, notClonable: 0 }
  let closed = false

  function settle(requestId: number): void {
    // A second answer to one ask makes the counts differ.
    counts.settled += asks.delete(requestId) ? 1 : 2
  }

  return new Promise(resolve => {
    const edge = createEdge({
      ...end,
      ...loadLimits,
      codecs,
      deliver: () => 'NO_SUCH_ACTOR',
      onReply: settle,
      onRefused(message, reason) {
        counts[reason === 'NOT_CLONABLE' ? 'notClonable' : 'refused']++
        if (message.requestId !== 0) settle(message.requestId)
      },
      onClose({ fates, unsent, ...report }) {
        closed = true
        const toldNo = [...asks].filter(([, message]) => edge.handledOf(message) === 'no').map(([id]) => id)
        for (const requestId of [...asks.keys()]) settle(requestId)
        resolve({ report: { ...report, unsent: unsent.length, listed: fates.length }, ...counts, toldNo })
      },
    })

    function turn(): void {
      for (let left = 400; left > 0 && !closed; left--) {
        const message = nextMessage(counts.accepted, counts.asks + 1)
        if (edge.post(message) === 'full') break
        counts.accepted++
        if (message.requestId === 0) continue
        counts.asks++
        asks.set(message.requestId, message)
      }
      if (end.fence && ledger.get('doomed') > 0) edge.close()
      if (!closed) setImmediate(turn)
    }
    turn()
  })
}

/** Messages of every kind: both lanes, coded, plain and not clonable, one in ten an ask. */
function createSource(seed: number): (number: number, requestId: number) => Envelope {
  const random = createRandom(seed)
  return (number, requestId) => {
    const dice = random()
    const event = dice > 0.998 ? { type: 'load.bad', call() {} } : { type: dice < 0.5 ? 'load.plain' : loadCodec.type }
    return createEnvelope({
      to: `victim/${Math.floor(random() * 40)}`,
      from: 'load',
      lane: dice > 0.9 ? 'control' : 'normal',
      event: Object.assign(event, { number }),
      codec: event.type === loadCodec.type ? namedLoadCodec : undefined,
      requestId: dice < 0.1 && requestId < requestsMax ? requestId : 0,
    })
  }
}
