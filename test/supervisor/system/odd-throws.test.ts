import { once } from 'node:events'
import pino from 'pino'
import t from 'tap'
import { internalsOf } from '../../../src/supervisor/system.ts'
import { exitOf, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { metronome, oddAction, oddInit, oddKinds, oddValue } from '../fixtures/odd-throws.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'
import { subject } from '../fixtures/subject.ts'

t.test('a value that cannot be looked at ends the actor that throws it, and no other', async t => {
  for (const shards of [0, 1]) {
    const system = await startSharded(t, { shards })
    const bystander = await system.spawn(subject, { id: 'bystander' })
    for (const kind of oddKinds) {
      await t.rejects(system.spawn(oddInit, { id: 'init', input: kind }), { code: 'START_FAILED' }, `${kind}, in init`)
      const thrower = await system.spawn(oddAction, { id: `action/${kind}`, restart: 'temporary' })
      const ended = exitOf(system, thrower)
      thrower.send({ type: 'odd.throw', kind })
      t.match(await ended, { incarnation: 1, reason: { type: 'threw' }, shardLoss: undefined }, `${kind}, in an action`)
      t.equal(await bystander.ask({ type: 'subject.echo', text: kind }, inTime), kind)
    }
  }
})

t.test('neither does an error that cannot be logged, nor a logger that throws', async t => {
  for (const kind of ['frozenError', ...oddKinds] as const) {
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: line => void lines.push(line) })
    const { system } = await startLocal(t, { logger })
    const thrower = await system.spawn(oddAction, { id: 'action' })
    for (let incarnation = 1; incarnation <= 2; incarnation++) {
      const ended = exitOf(system, thrower)
      thrower.send({ type: 'odd.throw', kind })
      t.match(await ended, { incarnation, reason: { type: 'threw' } }, kind)
    }
    await turn()
    t.match(JSON.parse(lines[0]!), { supervisor: '$actors', child: 'action', reason: 'threw' })
    await t.resolves(system.spawn(subject, { id: 'next' }))
  }
  const warned = once(process, 'warning')
  const logger = pino({ level: 'warn' }, { write: () => oddValue('proxy') instanceof Error })
  const { system } = await startLocal(t, { logger })
  const thrower = await system.spawn(oddAction, { id: 'action' })
  thrower.send({ type: 'odd.throw', kind: 'frozenError' })
  t.match(await warned, [{ name: 'StarfishWarning', message: 'the logger threw: Error: looked at' }])
  await t.resolves(system.spawn(subject, { id: 'next' }))
})

t.test('an actor cannot talk to the supervisors of the system', async t => {
  const { system } = await startLocal(t)
  const one = await system.spawn(subject, { id: 'one' })
  one.send({ type: 'subject.send', to: '$actors', text: 'stop' })
  t.equal(await one.ask({ type: 'subject.echo', text: 'still here' }, soon), 'still here')
  t.match((await system.deadLetters()).letters, [{ to: '$actors', from: 'one', reason: 'NO_SUCH_ACTOR' }])
})

t.test('a shard whose supervisor of actors ends is replaced, with its actors', async t => {
  const system = await startSharded(t)
  const one = await system.spawn(subject, { id: 'one', shard: 1 })
  const shards = system.inspect({ kinds: ['shard'] })
  const control = await internalsOf(system).shards!.control(1)
  const fixture = new URL('../fixtures/odd-throws.ts', import.meta.url).href
  // The answer may die with the shard.
  await control.call('chaos', [fixture, { kill: '$actors' } as never]).catch(() => {})
  for await (const fact of shards) {
    if (fact.kind !== 'shard' || fact.state !== 'lost') continue
    t.match(fact, { address: 'shard/1', reason: { type: 'threw', error: { message: '$actors ended: killed' } } })
    break
  }
  t.equal(await one.ask({ type: 'subject.echo', text: 'back' }, inTime), 'back')
})

t.test('a system whose supervisor of actors ends fails, and refuses what is asked of it', async t => {
  const { system } = await startLocal(t)
  const { kernel } = internalsOf(system)
  await system.spawn(subject, { id: 'one' })
  kernel.lifecycle.kill('$actors', 1)
  await turn()
  t.match(await system.failed, { code: 'SHARD_DIED', message: /\$actors ended: killed/ })
  await t.rejects(system.spawn(subject, { id: 'two' }), { code: 'NO_SUCH_ACTOR' })
})

t.test('delayed sends of timer steps all arrive, in order', async t => {
  const { system, clock } = await startLocal(t)
  const notes = await system.spawn(subject, { id: 'notes' })
  await system.spawn(metronome, { id: 'metronome', input: { to: 'notes' } })
  for (let tick = 0; tick < 40; tick++) {
    clock.advance(5)
    await turn()
  }
  const taken = await notes.ask({ type: 'subject.notes' }, soon)
  t.same(
    taken,
    Array.from({ length: taken.length }, (_, index) => `${index + 1}`),
  )
  t.ok(taken.length >= 17, `${taken.length} of the 20 sent are due`)
})

t.test('nobody but the system can tell or end its supervisors, or send what is XState’s own', async t => {
  const { system } = await startLocal(t)
  const one = await system.spawn(subject, { id: 'one' })
  for (const address of ['$actors', '$shards', '$top']) {
    const refused = { code: 'BAD_CONFIG', message: new RegExp(`\\${address}`) }
    t.throws(() => system.ref(subject, address), refused)
    t.throws(() => system.supervisor(address), refused)
    await t.rejects(system.kill(address), refused)
    await t.rejects(system.stopActor(address), refused)
  }
  for (const type of ['xstate.stop', 'xstate.error.actor.x', 'xstate.init']) {
    t.throws(() => one.send({ type } as never), { code: 'BAD_CONFIG', message: /XState's own/ })
    await t.rejects(one.ask({ type } as never, soon), { code: 'BAD_CONFIG', handled: /^no$/ })
  }
  t.equal(await one.ask({ type: 'subject.echo', text: 'alive' }, soon), 'alive')
})
