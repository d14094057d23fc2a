import t from 'tap'
import { setup } from 'xstate'
import { defineActor } from '../../../src/actors/runtime/define-actor.ts'

const machine = setup({}).createMachine({})
const define = (options: object, name: unknown = 'probe') =>
  defineActor(import.meta.url, name as string, options as { machine: typeof machine })

t.test('a definition carries what it was made of', async t => {
  const options = {
    machine,
    mailbox: { messagesMax: 5, overflow: 'drop_newest' },
    checkpointEveryMs: 0,
    blackBoxEvents: 0,
    engine: 'compiled',
    init: () => undefined,
    codecs: [],
  }
  t.match(define(options), { kind: 'actor', moduleUrl: import.meta.url, exportName: 'probe' })
  t.equal(define(options).options, options)
  t.match(define({ machine, provide: () => ({}), engine: 'live' }).options, { engine: 'live' })
})

t.test('options that cannot be used are refused where they are written, each by its name', async t => {
  for (const [options, option] of [
    [{}, 'machine'],
    [{ machine: {} }, 'machine'],
    [{ machine, engine: 'fast' }, 'engine'],
    [{ machine, engine: 'compiled', provide: () => ({}) }, 'provide'],
    [{ machine, provide: {} }, 'provide'],
    [{ machine, init: 7 }, 'init'],
    [{ machine, mailbox: 5 }, 'mailbox'],
    [{ machine, mailbox: { capacity: 5 } }, 'mailbox.capacity'],
    [{ machine, mailbox: { messagesMax: 0 } }, 'mailbox.messagesMax'],
    [{ machine, mailbox: { overflow: 'drop' } }, 'mailbox.overflow'],
    [{ machine, checkpointEveryMs: -1 }, 'checkpointEveryMs'],
    [{ machine, blackBoxEvents: 0.5 }, 'blackBoxEvents'],
    [{ machine, codecs: {} }, 'codecs'],
    [{ machine, mailBox: {} }, 'mailBox'],
  ] as const)
    t.throws(() => define(options), { code: 'BAD_CONFIG', details: { option } }, option)
  for (const name of ['', 7, null])
    t.throws(() => define({ machine }, name), { code: 'BAD_CONFIG', details: { option: 'exportName' } })
  t.throws(() => define({ machine, mailBox: {}, engin: 'live' }), {
    message:
      'bad definition probe: mailBox is not known: did you mean mailbox?; engin is not known: did you mean engine?',
  })
})
