/** Options of a server over UDP. */
import t from 'tap'
import { datagramShards, resolveUdpOptions, udpDefaults } from '../../../src/actors/datagram/config.ts'

t.test('what is left out has a default', t => {
  t.same(resolveUdpOptions({}), udpDefaults)
  t.same(resolveUdpOptions({ unsentMax: undefined } as never), udpDefaults)
  const all = {
    enabled: false,
    malformed: 'silence',
    payloadBytesMax: 65_507,
    inFlightRequestsMax: 1,
    inFlightBytesMax: 1,
    unsentMax: 1,
    bufferBytes: 1,
  } as const
  t.same(resolveUdpOptions(all), all)
  t.end()
})

t.test('all that is wrong is told at once', t => {
  const wrong = { malformed: 'no', payloadBytesMax: 1, unsentMax: 0, limit: 1 }
  t.throws(() => resolveUdpOptions(wrong as never), {
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
