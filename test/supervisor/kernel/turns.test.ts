/** How the actors of a thread, and its event loop, take turns. */
import t from 'tap'
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import { createSystem, internalsOf } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { collectFacts, quiet, soon, startLocal, turn } from '../fixtures/local-system.ts'

t.test('actors with mail take turns of 64 messages at most', async t => {
  const { system } = await startLocal(t)
  const actors = await Promise.all(['a', 'b', 'c'].map(id => system.spawn(counter, { id, input: { from: 0 } })))
  const { facts, ready } = collectFacts(system, ['event'])
  await ready
  for (const actor of actors) for (let n = 0; n < 100; n++) actor.send({ type: 'counter.add', by: 1 })
  await Promise.all(actors.map(actor => actor.ask({ type: 'counter.read' }, soon)))
  await turn()
  const runs: [address: string, messages: number][] = []
  for (const { address } of facts) {
    const last = runs.at(-1)
    if (last?.[0] === address) last[1]++
    else runs.push([address, 1])
  }
  t.same(runs, [
    ['a', 64],
    ['b', 64],
    ['c', 64],
    ['a', 37],
    ['b', 37],
    ['c', 37],
  ])
})

t.test('after 5 ms of turns the event loop has its own', async t => {
  let nowMs = 1
  // A millisecond passes with each look at the clock.
  const clock = { ...systemClock, now: () => nowMs++ }
  await using system = await createSystem({ shards: 0, clock, logger: quiet })
  const ids = ['a', 'b']
  const actors = await Promise.all(ids.map(id => system.spawn(counter, { id, input: { from: 0 } })))
  await turn()
  for (const actor of actors) for (let n = 0; n < 900; n++) actor.send({ type: 'counter.add', by: 1 })
  const { entries } = internalsOf(system).kernel
  const left = () => ids.reduce((sum, id) => sum + entries.get(id)!.cell!.mailbox.depth, 0)
  const seen: number[] = []
  do {
    await turn()
    seen.push(left())
  } while (seen.at(-1)! > 0)
  t.ok(seen.length > 2, `the loop turned ${seen.length} times meanwhile`)
  t.same(
    seen,
    [...new Set(seen)].sort((a, b) => b - a),
    'and each time some were done',
  )
})

t.test(
  'in virtual time all turns that are due are taken before the next timer, and before advance settles',
  async t => {
    const { system, clock } = await startLocal(t)
    // More than a thread gives turns to before its event loop has its own.
    const ids = Array.from({ length: 5_000 }, (_, n) => `c${n}`)
    const actors = await Promise.all(ids.map(id => system.spawn(counter, { id, input: { from: 0 } })))
    const { entries } = internalsOf(system).kernel
    const waiting = () => ids.reduce((sum, id) => sum + entries.get(id)!.cell!.mailbox.depth, 0)
    const addToAll = () => {
      for (const actor of actors) actor.send({ type: 'counter.add', by: 1 })
    }
    await clock.advance(0)
    const seen: number[] = []
    clock.setTimeout(addToAll, 500)
    clock.setTimeout(() => {
      seen.push(waiting())
      addToAll()
      seen.push(waiting())
    }, 501)
    await clock.advance(501)
    t.same([...seen, waiting()], [0, 5_000, 0])
  },
)
