/**
 * Sends of typed events of 90 B over an edge against `postMessage` of the same batches of envelopes on a bare port, each
 * handled by an actor's step; alternating blocks in one run. Budget: >= 0.8 x bare. `node bench/kernel/edge-send.ts`
 * With `binary` as its argument the events have a codec. Budget: >= 2M/s.
 */
import { createEnvelope, type Envelope } from '../../src/messages/thread/envelope.ts'
import { addresses, sample } from './actor.ts'
import {
  type BarePeer,
  type EdgePeer,
  quantile,
  startBarePeer,
  startEdgePeer,
  turn,
  windowMessages,
} from './harness.ts'
import { sampleCodec } from './sample-codec.ts'

const batch = 256
const blocks = 8
const messagesPerBlock = batch * 1_500

/** Sends one block over an edge, a batch a turn for as long as it takes them; returns messages handled per second. */
async function edgeBlock(peer: EdgePeer): Promise<number> {
  const goal = peer.handled() + messagesPerBlock
  const start = performance.now()
  let number = 0
  while (number < messagesPerBlock) {
    for (let index = 0; index < batch; index++) {
      const message = envelope(number)
      if (peer.edge.post(message) === 'full') break
      number++
    }
    await turn()
  }
  while (peer.handled() < goal) await turn()
  return (messagesPerBlock / (performance.now() - start)) * 1_000
}

/** The same on a bare port, with the window kept by looking at what was handled. */
async function bareBlock(peer: BarePeer): Promise<number> {
  const before = peer.handled()
  const start = performance.now()
  let number = 0
  while (number < messagesPerBlock) {
    if (number - (peer.handled() - before) <= windowMessages - batch) {
      const messages: object[] = []
      for (let index = 0; index < batch; index++) {
        const { to, from, event } = envelope(number++)
        messages.push({ to, from, event })
      }
      peer.port.postMessage(messages)
    }
    await turn()
  }
  while (peer.handled() < before + messagesPerBlock) await turn()
  return (messagesPerBlock / (performance.now() - start)) * 1_000
}

function envelope(number: number): Envelope {
  return createEnvelope({ to: addresses[number & 63]!, from: 'bench/sender', event: sample(number), codec })
}

const binary = process.argv[2] === 'binary'
const codec = binary ? { name: sampleCodec.type, codec: sampleCodec } : undefined
const peer = startEdgePeer(binary)
const bare = startBarePeer()
await edgeBlock(peer)
await bareBlock(bare)
const rates: { edge: number[]; bare: number[] } = { edge: [], bare: [] }
for (let index = 0; index < blocks; index++) {
  rates.edge.push(await edgeBlock(peer))
  rates.bare.push(await bareBlock(bare))
}
const ratios = rates.edge.map((rate, index) => rate / rates.bare[index]!)
for (const [name, values] of Object.entries(rates)) {
  console.log(
    `${name.padEnd(5)} ${(quantile(values, 0.5) / 1e6).toFixed(2)}M/s, best ${(Math.max(...values) / 1e6).toFixed(2)}M/s`,
  )
}
const budget = binary ? '>= 2M/s' : '>= 0.8'
console.log(
  `ratio, median of ${blocks} blocks: ${quantile(ratios, 0.5).toFixed(2)}; budget ${budget}; at most ${windowMessages} unread`,
)
await Promise.all([peer.worker.terminate(), bare.worker.terminate()])
