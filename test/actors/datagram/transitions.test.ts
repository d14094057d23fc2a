/** The decisions of a datagram actor. */
import t from 'tap'
import { breaksSocket, rebindWaitMs, wayOfAnswer } from '../../../src/actors/datagram/transitions.ts'

t.test('an answer goes to whom it may, a challenge where that may not, and nothing where neither may', t => {
  const cases: readonly [number, number, boolean, number, string][] = [
    [48, 16, false, 32, 'send'],
    [49, 16, false, 32, 'challenge'],
    [49, 16, true, 32, 'send'],
    [1_232, 16, true, 32, 'send'],
    [0, 0, false, 32, 'send'],
    [1, 0, false, 32, 'silence'],
    [16, 5, false, 32, 'silence'],
    [16, 6, false, 32, 'send'],
    [34, 11, false, 33, 'challenge'],
    [34, 11, false, 34, 'silence'],
  ]
  for (const [answer, received, isProven, challenge, way] of cases) {
    t.equal(wayOfAnswer(answer, received, isProven, challenge), way, `${answer} for ${received}`)
  }
  t.end()
})

t.test('waits between attempts to bind grow to two seconds, from whatever they begin with', t => {
  t.same(
    [1, 2, 3, 4, 5, 6, 7, 60].map(attempts => rebindWaitMs(100, attempts)),
    [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000],
  )
  t.equal(rebindWaitMs(5_000, 1), 5_000)
  t.equal(rebindWaitMs(5_000, 9), 5_000)
  t.end()
})

t.test('errors that are about one datagram, or pass, leave the socket as it is', t => {
  for (const code of ['ENOBUFS', 'EMSGSIZE', 'ECONNREFUSED', 'EAGAIN', 'EPERM', 'EINVAL']) {
    t.equal(breaksSocket(code), false, code)
  }
  for (const code of ['EBADF', 'ENOTSOCK', undefined]) t.equal(breaksSocket(code), true, String(code))
  t.end()
})
