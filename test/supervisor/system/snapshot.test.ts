import pino from 'pino'
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { collectFacts, exitOf, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { compiledMeter, meter, slowMeter } from '../fixtures/meter.ts'

for (const definition of [meter, compiledMeter]) {
  const engine = definition.options.engine ?? 'live'

  t.test(`${engine}: a restart from a snapshot goes on from the last checkpoint, whose age is told`, async t => {
    const { system, clock } = await startLocal(t)
    const { ready, until } = collectFacts(system, ['spawned'])
    await ready
    const m = await system.spawn(definition, { id: 'm', restore: 'snapshot' })
    m.send({ type: 'meter.add' })
    await turn()
    await clock.advance(30)
    m.send({ type: 'meter.crash' })
    t.match(await until(fact => fact.kind === 'spawned' && fact.incarnation === 2), { restored: { ageMs: 30 } })
    t.match(await m.ask({ type: 'meter.read' }, soon), { count: 1 })
  })

  t.test(`${engine}: a timer that was set has the time left that remained`, async t => {
    const { system, clock } = await startLocal(t)
    const m = await system.spawn(definition, { id: 'm', restore: 'snapshot' })
    m.send({ type: 'meter.wind' })
    await clock.advance(400)
    m.send({ type: 'meter.add' })
    await turn()
    await system.kill(m)
    await turn()
    await clock.advance(599)
    t.match(await m.ask({ type: 'meter.read' }, soon), { state: 'wound', count: 1 })
    await clock.advance(1)
    t.match(await m.ask({ type: 'meter.read' }, soon), { state: 'ringing' })
  })

  t.test(`${engine}: a state that fails twice is given up for a fresh one`, async t => {
    const { system } = await startLocal(t)
    const m = await system.spawn(definition, { id: 'm', restore: 'snapshot' })
    m.send({ type: 'meter.add' })
    m.send({ type: 'meter.poison' })
    for (const incarnation of [1, 2, 3]) {
      const ended = exitOf(system, m)
      m.send({ type: 'meter.add' })
      t.match(await ended, { incarnation, reason: { type: 'threw', error: { message: 'poisoned' } } })
    }
    await turn()
    t.match(await m.ask({ type: 'meter.read' }, soon), { count: 0 }, 'fresh')
  })

  t.test(`${engine}: a restored actor that took a checkpoint of its own may fail again`, async t => {
    const { system, clock } = await startLocal(t)
    const m = await system.spawn(definition, { id: 'm', restore: 'snapshot' })
    for (let count = 1; count <= 6; count++) {
      m.send({ type: 'meter.add' })
      await turn()
      await system.kill(m)
      await clock.advance(3_000)
      t.match(await m.ask({ type: 'meter.read' }, soon), { count })
    }
  })
}

t.test('without restore an actor starts afresh', async t => {
  const { system } = await startLocal(t)
  const m = await system.spawn(meter, { id: 'm' })
  m.send({ type: 'meter.add' })
  m.send({ type: 'meter.crash' })
  await turn()
  t.match(await m.ask({ type: 'meter.read' }, soon), { count: 0 })
})

t.test('checkpoints are taken no more often than the definition says, and once more by a shutdown', async t => {
  const { system, clock } = await startLocal(t)
  await using _tree = await system.supervise({
    id: 'tree',
    strategy: 'one_for_all',
    intensity: 3,
    children: [child(slowMeter, { id: 'm', restore: 'snapshot' }), child(meter, { id: 'sibling' })],
  })
  const m = system.ref(slowMeter, 'tree/m')
  m.send({ type: 'meter.add' })
  await turn()
  await system.kill(m)
  await turn()
  t.match(await m.ask({ type: 'meter.read' }, soon), { count: 0 }, 'the first checkpoint was that of the start')
  m.send({ type: 'meter.add' })
  await clock.advance(1_000)
  m.send({ type: 'meter.add' })
  m.send({ type: 'meter.add' })
  await turn()
  await clock.advance(5_000)
  await system.kill(m)
  await turn()
  t.match(await m.ask({ type: 'meter.read' }, soon), { count: 2 })
  m.send({ type: 'meter.add' })
  await turn()
  await system.kill('tree/sibling')
  await turn()
  t.match(await m.ask({ type: 'meter.read' }, soon), { count: 3 })
})

t.test('a state that cannot be copied costs the checkpoint, not the actor', async t => {
  const { system } = await startLocal(t)
  const m = await system.spawn(meter, { id: 'm', restore: 'snapshot' })
  m.send({ type: 'meter.add' })
  m.send({ type: 'meter.hold', value: () => {} })
  m.send({ type: 'meter.add' })
  t.match(await m.ask({ type: 'meter.read' }, soon), { count: 2 })
  m.send({ type: 'meter.crash' })
  await turn()
  t.match(await m.ask({ type: 'meter.read' }, soon), { count: 1 })
})

t.test('a state that can be copied again has checkpoints again; that one could not is said once', async t => {
  const lines: string[] = []
  const logger = pino({ level: 'error' }, { write: line => void lines.push(line) })
  const { system } = await startLocal(t, { logger })
  const m = await system.spawn(meter, { id: 'm', restore: 'snapshot' })
  m.send({ type: 'meter.add' })
  for (const value of [() => {}, Symbol('none'), () => {}, 'plain']) m.send({ type: 'meter.hold', value })
  m.send({ type: 'meter.add' })
  await turn()
  t.equal(lines.length, 1)
  t.match(lines[0], 'the state cannot be copied')
  m.send({ type: 'meter.crash' })
  await turn()
  t.match(await m.ask({ type: 'meter.read' }, soon), { count: 2 })
})
