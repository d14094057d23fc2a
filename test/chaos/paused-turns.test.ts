/** What a pause means to the kernel of a thread: no turn is given, and none is waited for. */
import t from 'tap'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import type { ActorCell } from '../../src/supervisor/kernel/cell.ts'
import { Dispatcher } from '../../src/supervisor/kernel/dispatcher.ts'
import { TickClock } from '../../src/supervisor/kernel/tick-clock.ts'
import { notebook } from './fixtures/notebook.ts'
import { read, startSystem } from './fixtures/start.ts'

const someTurns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

t.test('a paused cell is not queued, and one that is paused in its turn is not queued again', async t => {
  const cell = { queued: false, ended: false, pauses: 1, mailbox: { ready: 1 } }
  let turns = 0
  const dispatcher = new Dispatcher(new TickClock(systemClock), () => {
    turns++
    cell.pauses = 1
    return 1
  })
  dispatcher.wake(cell as ActorCell)
  await someTurns()
  t.equal(turns, 0)
  cell.pauses = 0
  dispatcher.wake(cell as ActorCell)
  await someTurns()
  t.equal(turns, 1)
  t.notOk(cell.queued, 'a resume can queue it')
})

t.test('a pause that comes before a turn which was due stops that turn', async t => {
  const { system, chaos } = await startSystem(t, { shards: 0 })
  const book = await system.spawn(notebook, { id: 'book' })
  book.send({ type: 'notebook.write', line: 'due' })
  const pause = chaos.pause(book)
  await someTurns()
  t.equal((await book.inspect())?.mailboxDepth, 1)
  await (await pause).release()
  t.same(await read(book), ['due'])
})
