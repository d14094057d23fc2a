/** The sending side of a kill: keeps an edge full until it closes, then holds the report against the receiver's ledger. */
import { createRandom } from '../../../../../src/actors/runtime/clock.ts'
import { createEnvelope, type Envelope } from '../../../../../src/messages/thread/envelope.ts'
import { createCodecRegistry } from '../../../../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge, type EdgePort } from '../../../../../src/supervisor/router/edge/edge.ts'
import type { EdgeReport } from '../../../../../src/supervisor/router/edge/report.ts'
import { Ledger, requestsMax } from './ledger.ts'
import { loadCodec } from './load-codec.ts'

/** One end of an edge, as it is handed to a thread. */
export interface EndOfEdge {
  readonly port: EdgePort
  readonly outbound: SharedArrayBuffer
  readonly inbound: SharedArrayBuffer
  /** Ledger of the receiver of `outbound` on the sending side, of `inbound` on the receiving side. */
  readonly ledger: SharedArrayBuffer
  readonly seed: number
}

/** What came of one edge: counts, and every statement that should hold and does not. */
export interface Account {
  readonly sent: number
  readonly handled: number
  readonly inHand: number
  readonly unprocessed: number
  readonly lost: number
  readonly refused: number
  readonly asks: number
  readonly wrong: readonly string[]
}

/** Limits of the edges under test: small ones, so that every wait and every refusal takes place. */
export const loadLimits = { window: 128, outboxMax: 256, slots: 1_024, reportMax: 50, mailboxMax: 300 } as const

/** Posts without pause; resolves once the edge has closed. */
export function runLoad(end: EndOfEdge): Promise<Account> {
  const random = createRandom(end.seed)
  const ledger = new Ledger(end.ledger)
  const codecs = createCodecRegistry()
  codecs.add(loadCodec)
  const asks = new Map<number, Envelope>()
  const counts = { accepted: 0, asks: 0, settled: 0, refused: 0, notClonable: 0 }
  let number = 0
  let closed = false

  return new Promise(resolve => {
    const edge = createEdge({
      ...end,
      ...loadLimits,
      codecs,
      deliver: () => 'NO_SUCH_ACTOR',
      onReply(requestId) {
        counts.settled += asks.delete(requestId) ? 1 : 2
      },
      onRefused(message, reason) {
        if (reason === 'NOT_CLONABLE') counts.notClonable++
        else counts.refused++
        if (asks.delete(message.requestId)) counts.settled++
      },
      onClose(report) {
        closed = true
        for (const [requestId, message] of asks) {
          if (edge.handledOf(message) === 'no' && ledger.isMarked(requestId)) counts.settled -= 1_000_000
          counts.settled++
        }
        resolve(accountOf(report, ledger, counts))
      },
    })

    function turn(): void {
      if (closed) return
      for (let left = 400; left > 0; left--) {
        const message = next()
        const verdict = edge.post(message)
        if (verdict === 'full') break
        counts.accepted++
        number++
        if (message.requestId !== 0) {
          counts.asks++
          asks.set(message.requestId, message)
        }
      }
      setImmediate(turn)
    }

    function next(): Envelope {
      const dice = random()
      const requestId = dice < 0.1 && counts.asks + 1 < requestsMax ? counts.asks + 1 : 0
      const type = dice < 0.5 ? 'load.plain' : loadCodec.type
      const event: object = dice > 0.998 ? { type: 'load.bad', call() {} } : { type, number }
      return createEnvelope({
        to: `victim/${Math.floor(random() * 40)}`,
        from: 'load',
        lane: dice > 0.9 ? 'control' : 'normal',
        event: event as { type: string },
        requestId,
      })
    }

    turn()
  })
}

function accountOf(
  report: EdgeReport,
  ledger: Ledger,
  counts: { accepted: number; asks: number; settled: number; refused: number; notClonable: number },
): Account {
  const { sent, handled, inHand, unprocessed, lost, refused } = report
  const delivered = ledger.get('delivered')
  const begun = ledger.get('begun')
  const ended = ledger.get('ended')
  const statements: Record<string, boolean> = {
    'sent = handled + in hand + unprocessed + lost + refused': sent === handled + inHand + unprocessed + lost + refused,
    'accepted = sent + unsent + not clonable': counts.accepted === sent + report.unsent.length + report.notClonable,
    'each message that cannot be cloned came back': counts.notClonable === report.notClonable,
    'no more refusals were told than counted': counts.refused <= refused,
    'handled <= ended by the receiver': handled <= ended,
    'ended by the receiver <= handled + in hand': ended <= handled + inHand,
    'the receiver was at one message at most': ended - handled <= 1,
    'the edge counts for the receiver as the receiver does': Math.abs(report.handledByReceiver - ended) <= 1,
    'begun by the receiver = handled + in hand, but for the one at hand': Math.abs(handled + inHand - begun) <= 1,
    'delivered to the receiver = all but the lost, but for the one at hand': Math.abs(sent - lost - delivered) <= 1,
    'per lane, the receiver saw the order sent': ledger.get('outOfOrder') === 0,
    'every ask settled once, and those told "no" were never begun': counts.settled === counts.asks,
    'the list of fates is as long as it may be': report.fates.length <= loadLimits.reportMax,
  }
  const wrong = Object.keys(statements).filter(statement => !statements[statement])
  const figures = JSON.stringify({
    ...report,
    fates: undefined,
    unsent: report.unsent.length,
    delivered,
    begun,
    ended,
    ...counts,
  })
  return {
    sent,
    handled,
    inHand,
    unprocessed,
    lost,
    refused,
    asks: counts.asks,
    wrong: wrong.map(statement => `${statement}: ${figures}`),
  }
}
