/**
 * A process that serves with as few descriptors as its parent left it, and prints its port and its log. By default it takes
 * more connections than it has descriptors for; with an argument, as many as a server does by default.
 */
import { resolveAcceptorInput } from '../../../src/actors/acceptor/config.ts'
import { createServerCounters } from '../../../src/actors/acceptor/counters.ts'
import { acceptorIo } from '../../../src/actors/acceptor/io.ts'
import { acceptorMachine } from '../../../src/actors/acceptor/machine.ts'
import { createConnections } from '../../../src/actors/connection/connections.ts'
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import { protocolReference } from '../../../src/actors/serving/protocol.ts'
import { eventProtocol } from '../../../src/protocols/event/event-protocol.ts'
import { startTestActor } from './test-actor.ts'

const input = resolveAcceptorInput(
  {
    port: 0,
    accept: 'reusePort',
    protocol: protocolReference(eventProtocol, {}),
    limits: process.argv.length > 2 ? {} : { connectionsMax: 1_000 },
  },
  { shards: 1, platform: 'linux', handoff: { threadId: 0, listener: 'none' }, counters: createServerCounters(1, 1) },
)
const acceptor = startTestActor(acceptorMachine, acceptorIo(createConnections), input, { clock: systemClock })
acceptor.runtime.lines.push = line => {
  console.log(`log ${line.level}`)
  return 0
}
await acceptor.reached('listening')
console.log(`port ${acceptor.context.port}`)
