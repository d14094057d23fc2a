/** Options of a server over UDP. */
import t from 'tap'
import { datagramShards, fillUdpOptions, type UdpOptions, udpDefaults } from '../../../src/actors/datagram/config.ts'
import { createFaults } from '../../../src/messages/option-faults.ts'

/** Filled options; throws what is wrong with them. */
function fill(options: UdpOptions) {
  const faults = createFaults()
  const filled = fillUdpOptions(options, udpDefaults, faults)
  faults.throwIfAny('BAD_CONFIG', 'options')
  return filled
}

t.test('what is left out has a default', t => {
  t.same(fill({}), udpDefaults)
  t.same(fill({ unsentMax: undefined } as never), udpDefaults)
  const all = {
    enabled: false,
    malformed: 'silence',
    payloadBytesMax: 65_507,
    inFlightRequestsMax: 1,
    inFlightBytesMax: 1,
    unsentMax: 1,
    bufferBytes: 1,
  } as const
  t.same(fill(all), all)
  t.end()
})

t.test('all that is wrong is told at once', t => {
  const wrong = { malformed: 'no', payloadBytesMax: 1, unsentMax: 0, limit: 1 }
  t.throws(() => fill(wrong as never), {
    code: 'BAD_CONFIG',
    details: {
      reasons: ['udp.limit', 'udp.malformed', 'udp.payloadBytesMax', 'udp.unsentMax'].map(path => ({ path })),
    },
  })
  t.end()
})

t.test('every shard has a socket where the system shares a port, else the first', t => {
  t.same(datagramShards(3, 'linux'), [0, 1, 2])
  t.same(datagramShards(3, 'darwin'), [0])
  t.same(datagramShards(3, 'win32'), [0])
  t.same(datagramShards(0, 'linux'), [-1], 'the main thread')
  t.end()
})
