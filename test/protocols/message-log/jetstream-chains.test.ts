/** What a chain of messages leaves in JetStream when it breaks, and what is made of it. */
import t, { type Test } from 'tap'
import { appendOf } from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { LogEngine } from '../../../src/protocols/message-log/engine/contract.ts'
import { AppendChain, type ChainTarget } from '../../../src/protocols/message-log/engine/jetstream/append-chain.ts'
import { AppendEntry } from '../../../src/protocols/message-log/engine/jetstream/append-entry.ts'
import type { ChainOutcome } from '../../../src/protocols/message-log/engine/jetstream/chain-flight.ts'
import { resolveJetstreamLogConfig } from '../../../src/protocols/message-log/engine/jetstream/config.ts'
import { JetstreamConnection } from '../../../src/protocols/message-log/engine/jetstream/connection.ts'
import { storeNames } from '../../../src/protocols/message-log/engine/jetstream/names.ts'
import { Producers } from '../../../src/protocols/message-log/engine/jetstream/producers.ts'
import { PublishAnswers } from '../../../src/protocols/message-log/engine/jetstream/publish-answers.ts'
import { Streams } from '../../../src/protocols/message-log/engine/jetstream/streams.ts'
import { newStore, openNode } from './jetstream-world.ts'
import { allValues } from './log-account.ts'
import { skipWithoutNats, startNats } from './nats-server.ts'

const skip = skipWithoutNats()
if (skip !== false) {
  t.plan(0, skip)
} else {
  const nats = await startNats()
  t.teardown(() => nats.close())

  /** Sends a batch of the values behind `sequence`, as a node would, and dies after so many messages. */
  type SendTorn = (sequence: number, values: readonly string[], survives: number) => Promise<ChainOutcome>

  const producer = { id: 9n, sequence: 4 }

  const onNode = (
    name: string,
    body: (t: Test, node: LogEngine, partitionId: number, send: SendTorn) => Promise<void>,
  ): void => {
    t.test(name, async t => {
      const options = { servers: nats.address, store: newStore(), requestTimeoutMs: 5_000 }
      const node = await openNode(options)
      const [partitionId = -1] = (await node.createTopic('orders', 1)).partitionIds
      await node.append(appendOf(partitionId, ['before']))
      const connection = await JetstreamConnection.open(resolveJetstreamLogConfig(options))
      const names = storeNames(options.store)
      const answers = new PublishAnswers(connection)
      const producers = new Producers(new Streams(connection), names, partitionId)
      const send: SendTorn = (sequence, values, survives) => {
        let published = 0
        const target: ChainTarget = {
          answers,
          producers,
          connection: {
            store: connection.store,
            requestTimeoutMs: connection.requestTimeoutMs,
            onLost: listener => connection.onLost(listener),
            publish(...args) {
              if (published++ === survives) throw new Error('died')
              connection.publish(...args)
            },
          },
          subjectOf: () => names.partitionSubject(partitionId, producer.id),
        }
        const entry = new AppendEntry(appendOf(partitionId, values, { producer }), 'torn')
        return new AppendChain([entry], { sequence, batch: 1, endBytes: 22 }, 0).send(target)
      }
      try {
        await body(t, node, partitionId, send)
      } finally {
        await connection.close()
        await node.close()
      }
    })
  }

  const values = ['a', 'b', 'c', 'd']
  const request = (partitionId: number) => appendOf(partitionId, values, { producer })

  onNode('a batch whose node died in its middle is whole once it is repeated', async (t, node, id, send) => {
    t.match(await send(1, values, 2), { type: 'unknown', error: { handled: 'unknown' } })
    await node.whenPast(id, 2, new AbortController().signal)
    t.same(await allValues(node, id), ['0:before', '1:a', '2:b'])
    for (let time = 0; time < 2; time++) t.same(await node.append(request(id)), { baseOffset: 1, stored: 4 })
    t.same(await node.append(appendOf(id, ['after'])), { baseOffset: 5, stored: 1 })
    t.same(await allValues(node, id), ['0:before', '1:a', '2:b', '3:c', '4:d', '5:after'])
    const ever = Number.POSITIVE_INFINITY
    const removed = await node.retain({ ageMs: ever, producerAgeMs: ever, partitionBytesMax: 21 })
    t.same(removed, { batches: 2, bytes: 16 * 5 + 'beforeabcd'.length })
  })

  onNode('it is there in part if another has written behind it', async (t, node, id, send) => {
    await send(1, values, 3)
    await node.whenPast(id, 3, new AbortController().signal)
    await node.append(appendOf(id, ['after']))
    for (let time = 0; time < 2; time++) t.same(await node.append(request(id)), { baseOffset: 1, stored: 3 })
    t.same(await allValues(node, id), ['0:before', '1:a', '2:b', '3:c', '4:after'])
  })

  onNode('a chain in a wrong place leaves nothing, wherever its messages would fit', async (t, node, id, send) => {
    // Its second message expects the end that there is; its first is refused, and so none behind it may be stored.
    t.match(await send(0, values, Number.POSITIVE_INFINITY), { type: 'refused' })
    t.same(await allValues(node, id), ['0:before'])
  })

  onNode('a chain that is sent again is stored once', async (t, node, id, send) => {
    for (let time = 0; time < 3; time++) t.same(await send(1, values, Number.POSITIVE_INFINITY), { type: 'stored' })
    t.same(await allValues(node, id), ['0:before', '1:a', '2:b', '3:c', '4:d'])
    t.same(await node.append(request(id)), { baseOffset: 1, stored: 4 })
  })
}
