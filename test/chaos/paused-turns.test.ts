/** What a pause means to the kernel of a thread: no turn is given, and none is waited for. */
import t from 'tap'
import { internalsOf } from '../../src/supervisor/system.ts'
import { notebook } from './fixtures/notebook.ts'
import { read, startSystem } from './fixtures/start.ts'

t.test('a paused actor gets no turn: none that was due, and none for new mail', async t => {
  const { system, chaos } = await startSystem(t, { shards: 0 })
  const book = await system.spawn(notebook, { id: 'book' })
  const cell = internalsOf(system).kernel.entries.get('book')!.cell!
  book.send({ type: 'notebook.write', line: 'due' })
  t.ok(cell.mailbox.queued, 'it is its turn next')
  const pause = chaos.pause(book)
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
  t.equal((await book.inspect())?.mailboxDepth, 1)
  t.notOk(cell.mailbox.queued, 'what was due has lapsed, and costs no processor time')
  book.send({ type: 'notebook.write', line: 'new' })
  t.notOk(cell.mailbox.queued)
  await (await pause).release()
  t.same(await read(book), ['due', 'new'])
})
