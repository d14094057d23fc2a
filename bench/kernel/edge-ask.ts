/**
 * An ask over an edge against a round trip on a bare MessagePort: one in flight, 90 B there and back, alternating blocks in
 * one run. Budget: p50 <= 1.3 x bare. `node bench/kernel/edge-ask.ts`
 */
import { createEnvelope } from '../../src/messages/thread/envelope.ts'
import { addresses, sample } from './actor.ts'
import { quantile, startBarePeer, startEdgePeer } from './harness.ts'

const blocks = 10
const asksPerBlock = 2_000

const peer = startEdgePeer()
const bare = startBarePeer()
let bareReplied: () => void = () => {}
bare.port.on('message', () => bareReplied())

function edgeAsk(number: number): Promise<void> {
  return new Promise(resolve => {
    peer.onReply = () => resolve()
    peer.edge.post(
      createEnvelope({ to: addresses[number & 63]!, from: 'bench', event: sample(number), requestId: number + 1 }),
    )
  })
}

function bareAsk(number: number): Promise<void> {
  return new Promise(resolve => {
    bareReplied = resolve
    bare.port.postMessage({ to: addresses[number & 63]!, from: 'bench', event: sample(number), requestId: number + 1 })
  })
}

async function block(ask: (number: number) => Promise<void>): Promise<number[]> {
  const micros: number[] = []
  for (let number = 0; number < asksPerBlock; number++) {
    const start = performance.now()
    await ask(number)
    micros.push((performance.now() - start) * 1_000)
  }
  return micros
}

await block(edgeAsk)
await block(bareAsk)
const ratios: number[] = []
const all: { edge: number[]; bare: number[] } = { edge: [], bare: [] }
for (let index = 0; index < blocks; index++) {
  const edge = await block(edgeAsk)
  const plain = await block(bareAsk)
  ratios.push(quantile(edge, 0.5) / quantile(plain, 0.5))
  all.edge.push(...edge)
  all.bare.push(...plain)
}
for (const [name, micros] of Object.entries(all)) {
  const [p50, p99] = [quantile(micros, 0.5), quantile(micros, 0.99)]
  console.log(`${name.padEnd(5)} 1 in flight: p50 ${p50.toFixed(1)} us, p99 ${p99.toFixed(1)} us`)
}
console.log(`ratio of p50, median of ${blocks} blocks: ${quantile(ratios, 0.5).toFixed(2)} (budget <= 1.3)`)
await Promise.all([peer.worker.terminate(), bare.worker.terminate()])
