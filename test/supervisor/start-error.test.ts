import t from 'tap'
import { StarfishError } from '../../src/messages/errors.ts'
import type { ExitReason } from '../../src/messages/thread/exit.ts'
import { reasonText } from '../../src/messages/thread/exit-text.ts'
import { startError } from '../../src/supervisor/start-error.ts'

const failed = (id: string, reason: ExitReason): ExitReason => ({
  type: 'shutdown',
  detail: 'failed_to_start_child',
  culprit: { id, reason },
})

t.test('the child that failed is named by its full path, with its reason and its error', async t => {
  const cause = new RangeError('no such peer')
  const reason = failed('inner', failed('leaf', { type: 'bootstrapFailed', error: cause }))
  const error = startError('tree', reason)
  t.match(error, {
    code: 'START_FAILED',
    message: 'tree/inner/leaf could not be started: bootstrapFailed: no such peer',
    details: { address: 'tree/inner/leaf', reason },
  })
  t.equal(error.cause, cause)
  const late = startError('a', { type: 'initTimedOut', afterMs: 50 })
  t.equal(late.message, 'a could not be started: initTimedOut after 50 ms')
  t.equal(late.cause, undefined)
})

t.test('an error of Starfish that the child met is passed on as it is', async t => {
  const taken = new StarfishError('DUPLICATE_ADDRESS', 'an actor has the address a already')
  t.equal(startError('tree', failed('a', { type: 'bootstrapFailed', error: taken })), taken)
})

t.test('every end can be said in words, whatever was thrown', async t => {
  const unreadable = Object.defineProperty(new Error(), 'message', {
    get() {
      throw new Error('not to be read')
    },
  })
  for (const [reason, text] of [
    [{ type: 'normal' }, 'normal'],
    [{ type: 'noproc' }, 'noproc'],
    [{ type: 'shutdown' }, 'shutdown'],
    [{ type: 'shutdown', detail: 'auto_shutdown' }, 'shutdown (auto_shutdown)'],
    [{ type: 'killed', detail: 'its shard is stuck' }, 'killed (its shard is stuck)'],
    [{ type: 'outOfMemory' }, 'outOfMemory'],
    [{ type: 'exited', code: 7 }, 'exited with code 7'],
    [{ type: 'stalled', diagnosis: 'spinning', forMs: 5_000 }, 'stalled: spinning for 5000 ms'],
    [{ type: 'threw', error: new TypeError('x is undefined') }, 'threw: x is undefined'],
    [{ type: 'threw', error: new TypeError() }, 'threw: TypeError'],
    [{ type: 'threw', error: 'a text' }, 'threw: a text'],
    [{ type: 'unhandledRejection', error: undefined }, 'unhandledRejection: undefined'],
    [{ type: 'threw', error: Object.create(null) }, 'threw: what cannot be read'],
    [{ type: 'threw', error: unreadable }, 'threw: what cannot be read'],
  ] as [ExitReason, string][])
    t.equal(reasonText(reason), text)
})
