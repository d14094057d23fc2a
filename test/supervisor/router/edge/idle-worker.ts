/** A worker that opens its end of an edge and has nothing else to do. */
import { workerData } from 'node:worker_threads'
import { createCodecRegistry } from '../../../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../../../src/supervisor/router/edge/edge.ts'

const { port, outbound, inbound } = workerData
createEdge({
  port,
  outbound,
  inbound,
  window: 16,
  outboxMax: 16,
  reportMax: 16,
  codecs: createCodecRegistry(),
  deliver: () => 'admitted',
  onReply() {},
  onRefused() {},
  onClose() {},
})
