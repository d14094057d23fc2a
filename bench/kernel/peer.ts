/** The receiving worker of the edge measurements: an edge that answers asks and handles sends. */
import { workerData } from 'node:worker_threads'
import { createCodecRegistry } from '../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../src/supervisor/router/edge/edge.ts'
import { createActors, type Sample } from './actor.ts'
import { sampleCodec } from './sample-codec.ts'

const { port, outbound, inbound, binary, done, window } = workerData
const actors = createActors()
const handled = new Int32Array(done)
const codecs = createCodecRegistry()
if (binary) codecs.add({ name: sampleCodec.type, codec: sampleCodec })
let count = 0

const edge = createEdge({
  port,
  outbound,
  inbound,
  window,
  outboxMax: window,
  reportMax: 0,
  codecs,
  deliver(message) {
    if (!message.receipts.start(message.token)) return 'admitted'
    actors.get(message.to)!.step(message.event as Sample)
    if (message.requestId !== 0) edge.reply(message.requestId, { status: 'ok', value: message.event })
    message.receipts.finish(message.token)
    if ((++count & 255) === 0) Atomics.store(handled, 0, count)
    return 'admitted'
  },
  onReply() {},
  onRefused() {},
  onClose() {},
})
port.ref()
