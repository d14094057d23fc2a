/** A worker that runs one acceptor: what a shard does, as far as sockets can tell. */
import { parentPort, workerData } from 'node:worker_threads'
import { acceptorIo } from '../../../src/actors/acceptor/io.ts'
import { acceptorMachine } from '../../../src/actors/acceptor/machine.ts'
import { createConnections } from '../../../src/actors/connection/connections.ts'
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import { startTestActor } from './test-actor.ts'

const { input, shard } = workerData
const port = parentPort!
const acceptor = startTestActor(acceptorMachine, acceptorIo(createConnections), input, { clock: systemClock, shard })
acceptor.reached('listening').then(() => port.postMessage({ state: 'listening', port: acceptor.context.port }))
acceptor
  .reached('failed')
  .then(() => port.postMessage({ state: 'failed', error: String(acceptor.runtime.failures[0]) }))
acceptor.reached('closed').then(() => {
  port.postMessage({ state: 'closed' })
  port.close()
})
port.on('message', event => acceptor.send(event))
