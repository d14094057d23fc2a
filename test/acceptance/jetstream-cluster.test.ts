/** A log on a cluster of three: one server after the other is killed under load, and nothing that was acknowledged is lost. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { appendOf } from '../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import { newStore, openNode } from '../protocols/message-log/jetstream-world.ts'
import { type Acknowledged, checkAccount, type ReadableLog } from '../protocols/message-log/log-account.ts'
import { skipWithoutNats, startNats } from '../protocols/message-log/nats-server.ts'
import { untilBack } from '../protocols/message-log/until-back.ts'

t.setTimeout(110_000)

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

t.test('all that was acknowledged is there once, in order', { skip: skipWithoutNats() }, async t => {
  const routes = (await freePorts(3)).map(port => `nats://127.0.0.1:${port}`)
  const cluster = await Promise.all(
    routes.map((own, index) =>
      startNats([
        ...['--name', `server${index}`, '--cluster_name', 'cluster', '--cluster', own],
        ...['--routes', routes.filter(route => route !== own).join(',')],
      ]),
    ),
  )
  t.teardown(() => Promise.all(cluster.map(server => server.close())))
  const options = {
    servers: cluster.map(({ address }) => address),
    store: newStore(),
    replicas: 3,
    requestTimeoutMs: 3_000,
  }
  const node = await untilBack(() => openNode(options))
  t.teardown(() => node.close())
  const other = await untilBack(() => openNode(options))
  t.teardown(() => other.close())
  await node.createTopic('orders', 1)
  const [partitionId = -1] = (await other.listTopics())[0]?.partitionIds ?? []

  const acknowledged: Acknowledged[] = []
  const appending = { on: true }
  let told = (): void => undefined
  const workers = Array.from({ length: 6 }, async (_, worker) => {
    for (let sequence = 0; appending.on; sequence++) {
      const values = Array.from({ length: 1 + (sequence % 4) }, (_, index) => `${worker} ${sequence} ${index}`)
      const request = appendOf(partitionId, values, { producer: { id: BigInt(worker), sequence } })
      let tries = sequence
      const result = await untilBack(() => (tries++ % 2 === 0 ? node : other).append(request))
      acknowledged.push({ ...result, values })
      told()
    }
  })
  const more = async (count: number): Promise<void> => {
    const wanted = acknowledged.length + count
    while (acknowledged.length < wanted) {
      await new Promise<void>(resolve => {
        told = resolve
      })
    }
  }
  for (const server of cluster) {
    await more(100)
    await server.kill()
    await more(100)
    await server.start()
    await server.whenHealthy()
  }
  await more(100)
  appending.on = false
  await Promise.all(workers)
  // A cluster whose last server has just come back may still choose who answers.
  for (const each of [node, other]) {
    const reader: ReadableLog = {
      highWaterMark: id => untilBack(() => each.highWaterMark(id)),
      read: (...args) => untilBack(() => each.read(...args)),
    }
    await checkAccount(t, reader, partitionId, acknowledged)
  }
})
