import t from 'tap'
import { createEnvelope } from '../../../../src/messages/thread/envelope.ts'
import { createRefusalError } from '../../../../src/supervisor/router/edge/refusal.ts'

t.test('a refusal names the address, the event type and the cause, and was certainly not handled', t => {
  const cause = new Error('could not be cloned')
  const message = createEnvelope({ to: 'peer/n2', event: { type: 'peer.dial' } })
  t.match(createRefusalError(message, 'NOT_CLONABLE', cause), {
    code: 'NOT_CLONABLE',
    message: 'peer.dial to peer/n2 was refused: a value cannot be copied to another thread',
    details: { address: 'peer/n2', eventType: 'peer.dial' },
    handled: /^no$/,
    retryable: false,
    cause,
  })
  t.match(createRefusalError(message, 'MAILBOX_FULL'), { code: 'MAILBOX_FULL', retryable: true, handled: /^no$/ })
  t.end()
})
