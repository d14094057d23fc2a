import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { ActorExit } from '../../../src/messages/thread/exit.ts'
import { createSystem, internalsOf } from '../../../src/supervisor/system.ts'
import { compiledCounter, counter } from '../fixtures/counter.ts'
import { collectFacts, exitOf, quiet, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { cleans, declines, feeds, hangs, late, log, shutsDown, throwsInInit } from '../fixtures/starts.ts'
import { subject } from '../fixtures/subject.ts'

t.beforeEach(() => void log.splice(0))

t.test('both engines count, answer, finish and crash alike', async t => {
  const { system } = await startLocal(t)
  for (const definition of [counter, compiledCounter]) {
    const id = definition.exportName
    const c = await system.spawn(definition, { id, input: { from: 1 }, restart: 'temporary' })
    c.send({ type: 'counter.add', by: 2 })
    t.equal(await c.ask({ type: 'counter.read' }, soon), 3)
    const ended = exitOf(system, c)
    c.send({ type: 'counter.crash' })
    t.match(await ended, {
      address: id,
      definition: id,
      incarnation: 1,
      shard: -1,
      reason: { type: 'threw', error: { message: 'told to crash', code: 'E_TOLD', extra: 7 } },
      lastEvents: [
        { sequence: 0, type: 'counter.add', event: { by: 2 } },
        { sequence: 1, type: 'counter.read' },
        { sequence: 2, type: 'counter.crash' },
      ],
    })
    await t.resolves(system.spawn(definition, { id, input: { from: 0 }, restart: 'temporary' }), 'the address is free')
    const finished = exitOf(system, id)
    system.ref(definition, id).send({ type: 'counter.finish' })
    t.match(await finished, { incarnation: 2, reason: { type: 'normal' } })
  }
})

t.test('a permanent actor restarts afresh, three times in five seconds and no more', async t => {
  const { system } = await startLocal(t)
  const c = await system.spawn(counter, { id: 'c', input: { from: 7 } })
  for (let incarnation = 1; incarnation <= 4; incarnation++) {
    t.equal(await c.ask({ type: 'counter.read' }, soon), 7)
    const ended = exitOf(system, c)
    c.send({ type: 'counter.add', by: 1 })
    c.send({ type: 'counter.crash' })
    t.equal((await ended).incarnation, incarnation)
  }
  await turn()
  await t.rejects(c.ask({ type: 'counter.read' }, soon), { code: 'NO_SUCH_ACTOR' })
  t.same(await system.tree(), [])
})

t.test('a delayed send comes at its time, unless it is taken back or the system stops', async t => {
  const { system, clock } = await startLocal(t)
  const c = await system.spawn(counter, { id: 'c', input: { from: 0 } })
  c.sendAfter({ type: 'counter.add', by: 1 }, 100)
  const cancel = c.sendAfter({ type: 'counter.add', by: 10 }, 100)
  await clock.advance(99)
  t.equal(await c.ask({ type: 'counter.read' }, soon), 0)
  cancel()
  await clock.advance(1)
  t.equal(await c.ask({ type: 'counter.read' }, soon), 1)
  c.sendAfter({ type: 'counter.add', by: 100 }, 100)
  await system.stop()
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('a chart sends at once and later, takes a send back, and its delayed sends end with it', async t => {
  const { system, clock } = await startLocal(t)
  const to = await system.spawn(subject, { id: 'to' })
  const from = await system.spawn(subject, { id: 'from', restart: 'temporary' })
  from.send({ type: 'subject.send', to: 'to', text: 'now' })
  from.send({ type: 'subject.sendAfter', to: 'to', text: 'later', delayMs: 10 })
  from.send({ type: 'subject.sendAfter', to: 'to', text: 'never', delayMs: 10, id: 'x' })
  from.send({ type: 'subject.sendAfter', to: 'to', text: 'lost', delayMs: 20 })
  from.send({ type: 'subject.cancel', id: 'x' })
  await clock.advance(10)
  t.same(await to.ask({ type: 'subject.notes' }, soon), ['now', 'later'])
  await system.kill(from)
  await clock.advance(10)
  t.same(await to.ask({ type: 'subject.notes' }, soon), ['now', 'later'])
  t.equal(clock.pending, 0)
})

t.test('postponed messages come back in order of arrival when the state changes', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const jobs = ['a', 'b', 'c'].map(text => s.ask({ type: 'subject.job', text }, soon))
  s.send({ type: 'subject.note', text: 'between' } as never)
  s.send({ type: 'subject.open' })
  t.same(await Promise.all(jobs), ['done a', 'done b', 'done c'])
  t.same(await s.ask({ type: 'subject.notes' }, soon), ['between', 'a', 'b', 'c'])
})

t.test('a watch is told exactly once: of the end, of one in the past, and of what never was', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's', restart: 'temporary' })
  const exits: ActorExit[] = []
  system.watch(s, exit => exits.push(exit))
  const unwatch = system.watch(s, () => t.fail('was taken back'))
  unwatch()
  await system.kill(s)
  await turn()
  system.watch('s', exit => exits.push(exit))
  system.watch('never', exit => exits.push(exit))
  await turn()
  t.match(exits, [
    { address: 's', incarnation: 1, reason: { type: 'killed' } },
    { address: 's', incarnation: 1, reason: { type: 'killed' } },
    { address: 'never', incarnation: 0, reason: { type: 'noproc' } },
  ])
})

for (const shards of [0, 1]) {
  t.test(`a watch that is taken back at once hears nothing, whoever it is of, with ${shards} shards`, async t => {
    const system = await createSystem({ shards, logger: quiet })
    t.teardown(() => system.stop())
    const gone = await system.spawn(counter, { id: 'gone', input: { from: 0 }, restart: 'temporary' })
    const ended = exitOf(system, gone)
    await system.kill(gone)
    await ended
    const heard: string[] = []
    for (const address of ['nobody', 'gone']) {
      const takeBack = system.watch(address, exit => void heard.push(exit.address))
      takeBack()
      await exitOf(system, address)
    }
    t.same(heard, [])
  })
}

t.test('each watch is its own, though of the same function, and one taken back by another is not told', async t => {
  const { system } = await startLocal(t)
  const c = await system.spawn(counter, { id: 'c', input: { from: 0 } })
  let heard = 0
  const listener = () => void heard++
  const takeBacks = [1, 2, 3].map(() => system.watch(c, listener))
  takeBacks[0]!()
  takeBacks[0]!()
  const first = system.watch(c, () => second())
  const second = system.watch(c, () => t.fail('it was taken back'))
  await system.kill(c)
  await turn()
  t.equal(heard, 2)
  first()
})

t.test('a watch follows one incarnation only', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  let told = 0
  system.watch(s, () => told++)
  await system.kill(s)
  await turn()
  await system.kill(s)
  await turn()
  t.equal(told, 1)
})

t.test('the end of a watched actor comes to a chart as actor.exited, unless it no longer watches', async t => {
  const { system } = await startLocal(t)
  const watcher = await system.spawn(subject, { id: 'watcher' })
  for (const id of ['a', 'b']) {
    await system.spawn(subject, { id, restart: 'temporary' })
    watcher.send({ type: 'subject.watch', address: id })
  }
  watcher.send({ type: 'subject.watch', address: 'a' })
  watcher.send({ type: 'subject.watch', address: 'nobody' })
  watcher.send({ type: 'subject.unwatch', address: 'b' })
  await turn()
  await system.kill('b')
  system.ref(subject, 'a').send({ type: 'subject.finish' })
  await turn()
  const exits = await watcher.ask({ type: 'subject.exits' }, soon)
  t.match(exits, [
    { address: 'nobody', reason: { type: 'noproc' } },
    { address: 'a', reason: { type: 'normal' } },
  ])
  t.equal(exits.length, 2)
})

t.test('members hear what is broadcast to their group, and have left it when they ended', async t => {
  const { system } = await startLocal(t)
  const group = system.group('g')
  const a = await system.spawn(subject, { id: 'a', restart: 'temporary' })
  const b = await system.spawn(subject, { id: 'b', restart: 'temporary' })
  a.send({ type: 'subject.join', group: 'g' })
  await turn()
  group.join(b)
  group.join(b)
  group.join('nobody')
  await turn()
  t.same(group.members(), ['a', 'b'])
  t.equal(group.broadcast({ type: 'subject.note', text: 'to all' } as never), 2)
  t.same(await b.ask({ type: 'subject.notes' }, soon), ['to all'])
  await system.kill(b)
  await turn()
  t.same(group.members(), ['a'], 'who was joined from outside has left as well')
  a.send({ type: 'subject.leave', group: 'g' })
  await turn()
  t.same(group.members(), [])
})

t.test('a chart starts, watches and stops children; they end with it, and it can start them again at once', async t => {
  const { system } = await startLocal(t)
  const parent = await system.spawn(subject, { id: 'p' })
  parent.send({ type: 'subject.spawn', id: 'kid' })
  parent.send({ type: 'subject.spawn', id: 'other' })
  parent.send({ type: 'subject.watch', address: 'p/kid' })
  await turn()
  const kid = system.ref(counter, 'p/kid')
  t.equal(await kid.ask({ type: 'counter.read' }, soon), 0)
  t.same(
    (await system.tree({ under: 'p' })).map(({ address }) => address),
    ['p', 'p/kid', 'p/other'],
  )
  parent.send({ type: 'subject.stop', id: 'kid' })
  parent.send({ type: 'subject.spawn', id: 'kid' })
  await turn()
  t.match(await parent.ask({ type: 'subject.exits' }, soon), [{ address: 'p/kid', reason: { type: 'shutdown' } }])
  t.match(await kid.inspect(), { state: 'up', incarnation: 2 })
  const ended = exitOf(system, 'p/other')
  await system.kill(parent)
  t.match(await ended, { reason: { type: 'shutdown' } })
  await turn()
  t.same(
    (await system.tree()).map(({ address }) => address),
    ['p'],
  )
})

t.test('a child that ended by itself is not remembered by its parent', async t => {
  const { system } = await startLocal(t)
  const parent = await system.spawn(subject, { id: 'p' })
  for (let i = 0; i < 10; i++) parent.send({ type: 'subject.spawn', id: `kid${i}` })
  await turn()
  for (let i = 0; i < 10; i++) await system.stopActor(`p/kid${i}`)
  t.equal(internalsOf(system).kernel.entries.get('p')?.children.size, 0)
})

t.test('an init may decline, throw, or take too long: spawn rejects and says which', async t => {
  const { system, clock } = await startLocal(t)
  await t.rejects(system.spawn(declines, { id: 'd' }), { code: 'START_FAILED', details: { reason: 'ignored' } })
  await t.rejects(system.spawn(throwsInInit, { id: 't' }), { code: 'START_FAILED', cause: { code: 'E_INIT' } })
  const hanging = t.rejects(system.spawn(hangs, { id: 'h', initTimeoutMs: 200 }), {
    code: 'START_FAILED',
    details: { reason: { type: 'initTimedOut' } },
  })
  const ended = new Promise<ActorExit>(resolve => setImmediate(() => system.watch('h', resolve)))
  await turn()
  await clock.advance(200)
  await hanging
  t.match(await ended, { address: 'h', reason: { type: 'initTimedOut', afterMs: 200 } })
  t.same(log, ['init cleaned up'])
  t.same(await system.tree(), [])
})

t.test('who watches an actor that declines to start is told that there is none', async t => {
  const { system } = await startLocal(t)
  const spawned = t.rejects(system.spawn(declines, { id: 'd' }))
  const ended = exitOf(system, 'd')
  await spawned
  t.match(await ended, { reason: { type: 'noproc' } })
})

t.test('a cleanup that an init registers after its deadline runs nevertheless', async t => {
  const { system, clock } = await startLocal(t)
  const spawned = t.rejects(system.spawn(late, { id: 'l', initTimeoutMs: 100 }))
  await clock.advance(600)
  await spawned
  t.same(log, ['late cleanup ran'])
})

t.test('what I/O feeds before the chart runs waits for it, and fail ends the actor with that error', async t => {
  const { system } = await startLocal(t)
  const f = await system.spawn(feeds, { id: 'f', restart: 'temporary' })
  t.same(await f.ask({ type: 'start.seen' }, soon), ['from init'])
  const ended = exitOf(system, f)
  f.send({ type: 'start.fail' })
  t.match(await ended, { reason: { type: 'threw', error: { code: 'EIO' } } })
})

t.test('cleanups run last first whatever the end was, and one that fails harms nobody', async t => {
  const { system } = await startLocal(t)
  const c = await system.spawn(cleans, { id: 'c' })
  c.send({ type: 'start.crash' })
  await turn()
  t.same(log, ['invoked', 'invoked child stopped', 'second', 'first', 'invoked'])
})

t.test('an action that throws stops what the chart invoked', async t => {
  const { system } = await startLocal(t)
  const c = await system.spawn(cleans, { id: 'c', restart: 'temporary' })
  c.send({ type: 'start.crash' })
  await turn()
  t.ok(log.includes('invoked child stopped'))
})

t.test('a chart that takes actor.shutdown ends by itself; that is no dead letter', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(shutsDown, { id: 's' })
  const ended = exitOf(system, s)
  await system.stopActor(s)
  t.match(await ended, { reason: { type: 'shutdown' } })
  t.ok(log.includes('shutdown asked'))
  t.same((await system.deadLetters()).letters, [])
})

t.test(
  'a rejection that nobody caught costs the actor that caused it, also from init on and out of a timer',
  async t => {
    const { system } = await startLocal(t)
    const bystander = await system.spawn(counter, { id: 'bystander', input: { from: 5 } })
    const s = await system.spawn(subject, { id: 's' })
    const rejected = exitOf(system, s)
    s.send({ type: 'subject.reject' })
    t.match(await rejected, { incarnation: 1, reason: { type: 'unhandledRejection', error: { name: 'RangeError' } } })
    const thrown = exitOf(system, s)
    s.send({ type: 'subject.throwLater' })
    t.match(await thrown, { incarnation: 2, reason: { type: 'threw', error: { message: 'out of a timer' } } })
    t.equal(await bystander.ask({ type: 'counter.read' }, soon), 5)
  },
)

t.test('a rejection that comes after the end of its actor harms nobody', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's', restart: 'temporary' })
  const next = await system.spawn(counter, { id: 'next', input: { from: 0 } })
  s.send({ type: 'subject.throwLater' })
  s.send({ type: 'subject.reject' })
  s.send({ type: 'subject.finish' })
  await new Promise(resolve => setTimeout(resolve, 5))
  t.equal(await next.ask({ type: 'counter.read' }, soon), 0)
})

t.test('two systems on one thread tell their actors apart', async t => {
  const one = await startLocal(t)
  const two = await startLocal(t)
  const a = await one.system.spawn(subject, { id: 'same' })
  const b = await two.system.spawn(subject, { id: 'same' })
  const told: string[] = []
  one.system.watch('same', () => told.push('one'))
  two.system.watch('same', () => told.push('two'))
  a.send({ type: 'subject.reject' })
  await turn()
  b.send({ type: 'subject.reject' })
  await turn()
  t.same(told, ['one', 'two'])
})

t.test('the tree is paged in order of address, and inspect shows one actor', async t => {
  const { system } = await startLocal(t)
  for (const id of ['b', 'a', 'c']) await system.spawn(counter, { id, input: { from: 3 } })
  const first = await system.tree({ limit: 2 })
  t.same(
    first.map(({ address }) => address),
    ['a', 'b'],
  )
  const rest = await system.tree({ limit: 2, after: 'b' })
  t.same(
    rest.map(({ address }) => address),
    ['c'],
  )
  await system.ref(counter, 'a').ask({ type: 'counter.read' }, soon)
  t.match(await system.ref(counter, 'a').inspect(), {
    address: 'a',
    definition: 'counter',
    kind: 'actor',
    state: 'up',
    value: 'counting',
    context: { count: 3 },
    mailboxDepth: 0,
    lastEvents: [{ type: 'counter.read' }],
    moduleUrl: counter.moduleUrl,
  })
  t.equal(await system.ref(counter, 'z').inspect(), undefined)
})

t.test('supervisors are among the actors, and their children under them', async t => {
  const { system } = await startLocal(t)
  await using tree = await system.supervise({
    id: 'tree',
    strategy: 'one_for_all',
    children: [child(counter, { id: 'a', input: { from: 1 } }), child(counter, { id: 'b', input: { from: 2 } })],
  })
  t.match(await system.tree({ under: 'tree' }), [
    { address: 'tree', kind: 'supervisor', definition: 'supervisor' },
    { address: 'tree/a', supervisor: 'tree', incarnation: 1 },
    { address: 'tree/b', supervisor: 'tree' },
  ])
  await system.kill('tree/a')
  await turn()
  t.match(await system.ref(counter, 'tree/b').inspect(), { incarnation: 2 })
  t.match(await tree.countChildren(), { specs: 2, active: 2 })
})

t.test(
  'what reaches nobody is a dead letter with its fate; every one is counted, the last ones are listed',
  async t => {
    const { system } = await startLocal(t)
    const s = await system.spawn(subject, { id: 's', restart: 'temporary' })
    system.ref(counter, 'nobody').send({ type: 'counter.crash' })
    s.send({ type: 'subject.crash' })
    s.send({ type: 'subject.open' })
    await turn()
    const { counts, letters } = await system.deadLetters()
    t.match(counts, { refused: 1, inHand: 1, unprocessed: 1, lost: 0, expired: 0 })
    t.match(letters, [
      { to: 'nobody', type: 'counter.crash', fate: 'refused', reason: 'NO_SUCH_ACTOR' },
      { to: 's', type: 'subject.crash', fate: 'inHand' },
      { to: 's', type: 'subject.open', fate: 'unprocessed', reason: 'ACTOR_DIED' },
    ])
  },
)

t.test('stop ends every actor by its own shutdown, and nothing is left behind', async t => {
  const { system, clock } = await startLocal(t)
  const ends: string[] = []
  for (const id of ['a', 'b']) {
    const s = await system.spawn(shutsDown, { id })
    system.watch(s, ({ address, reason }) => ends.push(`${address} ${reason.type}`))
  }
  await system.stop()
  t.same(ends.sort(), ['a shutdown', 'b shutdown'])
  t.equal(clock.pending, 0)
  t.same(
    [...internalsOf(system).kernel.entries.keys()].filter(address => !address.startsWith('$')),
    [],
  )
  t.equal(process.listenerCount('unhandledRejection') <= 1, true)
})

t.test('each kind of fact that a thread without shards has is told to those who inspect it, and no other', async t => {
  const { system } = await startLocal(t)
  const { facts, ready, close, until } = collectFacts(system, [
    'spawned',
    'event',
    'transition',
    'action',
    'exit',
    'restart',
    'deadLetter',
    'link',
  ])
  await ready
  const s = await system.spawn(subject, { id: 's' })
  await s.ask({ type: 'subject.echo', text: 'x' }, soon)
  s.send({ type: 'subject.open' })
  system.watch(s, () => {})
  s.send({ type: 'subject.crash' })
  system.ref(subject, 'nobody').send({ type: 'subject.open' })
  await until(fact => fact.kind === 'restart')
  await turn()
  const first = (kind: string) => facts.find(fact => fact.kind === kind && fact.address === 's')
  t.match(first('spawned'), { address: 's', definition: 'subject', incarnation: 1, shard: -1 })
  t.match(first('event'), { address: 's', type: 'subject.echo', asked: true, sequence: 0 })
  t.match(first('transition'), { address: 's', from: 'closed', to: 'open' })
  t.match(first('action'), { address: 's', action: 'echo' })
  t.match(first('exit'), { address: 's', exit: { reason: { type: 'threw' } } })
  t.match(first('restart'), { address: 's', supervisor: '$actors' })
  t.ok(facts.find(fact => fact.kind === 'deadLetter' && fact.letter.to === 'nobody'))
  t.ok(facts.find(fact => fact.kind === 'link' && fact.link === 'watch'))
  close()
  const before = facts.length
  await s.ask({ type: 'subject.echo', text: 'x' }, soon)
  t.equal(facts.length, before)
})
