import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import t from 'tap'
import { createEnvelope } from '../../../../src/messages/thread/envelope.ts'
import { createCodecRegistry } from '../../../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../../../src/supervisor/router/edge/edge.ts'
import type { Edge, EdgeOptions } from '../../../../src/supervisor/router/edge/edge-contract.ts'
import { createEdgeMemory } from '../../../../src/supervisor/router/edge/edge-memory.ts'
import type { EdgeReport } from '../../../../src/supervisor/router/edge/report.ts'

const quiet = {
  window: 16,
  outboxMax: 16,
  reportMax: 16,
  deliver: (): 'admitted' => 'admitted',
  onReply() {},
  onRefused() {},
  onClose() {},
}

/** Both ends of an edge over a real channel, on this thread. */
function openPair(a: Partial<EdgeOptions>, b: Partial<EdgeOptions>): [Edge, Edge] {
  const { port1, port2 } = new MessageChannel()
  const there = createEdgeMemory(64)
  const back = createEdgeMemory(64)
  const edges: [Edge, Edge] = [
    createEdge({ ...quiet, codecs: createCodecRegistry(), port: port1, outbound: there, inbound: back, ...a }),
    createEdge({ ...quiet, codecs: createCodecRegistry(), port: port2, outbound: back, inbound: there, ...b }),
  ]
  port1.ref()
  port2.ref()
  return edges
}

t.test('an edge alone keeps no thread alive, and its end is told to the other side', async t => {
  const { port1, port2 } = new MessageChannel()
  const there = createEdgeMemory(64)
  const back = createEdgeMemory(64)
  const worker = new Worker(new URL('./idle-worker.ts', import.meta.url), {
    workerData: { port: port2, outbound: back, inbound: there },
    transferList: [port2],
  })
  const closed = new Promise<EdgeReport>(resolve => {
    createEdge({
      ...quiet,
      codecs: createCodecRegistry(),
      port: port1,
      outbound: there,
      inbound: back,
      onClose: resolve,
    })
  })
  const [code] = await once(worker, 'exit')
  t.equal(code, 0)
  t.match(await closed, { sent: 0, unsent: [] })
})

t.test('an ask goes there and back over a real port', async t => {
  const answer = new Promise(resolve => {
    const [asker, answerer] = openPair(
      { onReply: (requestId, outcome) => resolve({ requestId, outcome }) },
      {
        deliver(message) {
          message.receipts.start(message.token)
          answerer.reply(message.requestId, { status: 'ok', value: message.event })
          message.receipts.finish(message.token)
          return 'admitted'
        },
      },
    )
    asker.post(createEnvelope({ to: 'x', event: { type: 'ping' }, requestId: 5 }))
    t.teardown(() => asker.close())
  })
  t.same(await answer, { requestId: 5, outcome: { status: 'ok', value: { type: 'ping' } } })
})

t.test('of a side that closes, replies arrive before the close; messages that were not read are revoked', async t => {
  const told: string[] = []
  let report: EdgeReport | undefined
  await new Promise<void>(resolve => {
    const [, b] = openPair(
      {
        deliver: message => {
          told.push(message.event.type)
          return 'admitted'
        },
        onReply: requestId => void told.push(`reply ${requestId}`),
        onClose: () => resolve(),
      },
      {
        onClose: one => {
          report = one
        },
      },
    )
    b.post(createEnvelope({ to: 'x', event: { type: 'one' } }))
    b.reply(1, { status: 'ok', value: 1 })
    b.flush()
    b.close()
  })
  t.same(told, ['reply 1'])
  t.match(report, { sent: 1, lost: 1 })
})
