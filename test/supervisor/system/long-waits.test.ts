/** `after` of charts that wait longer than a timer of Node can. */
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createSystem } from '../../../src/supervisor/system.ts'
import { exitOf, quiet, startLocal } from '../fixtures/local-system.ts'
import { compiledPatient, livePatient } from '../fixtures/patient.ts'

const dayMs = 86_400_000
const engines = { live: livePatient, compiled: compiledPatient }

/** Of a timer that is armed behind another: 1 ms is what Node makes of a time that it cannot wait. */
const soonMs = 2

t.test('a state that is left after a month is not left at once, on any thread', async t => {
  await using system = await createSystem({ shards: 1, logger: quiet })
  for (const shard of ['main', 0] as const) {
    for (const [engine, patient] of Object.entries(engines)) {
      const ref = await system.spawn(patient, { id: `${engine}.${shard}`, input: { waitMs: 30 * dayMs }, shard })
      ref.send({ type: 'patient.wait' })
      const other = await system.spawn(patient, { id: `soon.${engine}.${shard}`, input: { waitMs: soonMs }, shard })
      other.send({ type: 'patient.wait' })
      while ((await other.inspect())?.value !== 'over') await setImmediate()
      t.match(await ref.inspect(), { value: 'waiting' }, ref.address)
    }
  }
})

t.test('virtual time waits as long, and no longer', async t => {
  const { system, clock } = await startLocal(t)
  for (const [engine, patient] of Object.entries(engines)) {
    const ref = await system.spawn(patient, { id: engine, input: { waitMs: 30 * dayMs } })
    ref.send({ type: 'patient.wait' })
    await clock.advance(30 * dayMs - 1)
    t.match(await ref.inspect(), { value: 'waiting' }, engine)
    await clock.advance(1)
    t.match(await ref.inspect(), { value: 'over' }, engine)
  }
})

t.test('a delay that is no finite number ends the actor, and its exit names it', async t => {
  const { system } = await startLocal(t)
  for (const [engine, patient] of Object.entries(engines)) {
    for (const waitMs of [Number.POSITIVE_INFINITY, Number.NaN]) {
      const ref = await system.spawn(patient, { id: engine, restart: 'temporary', input: { waitMs } })
      const exit = exitOf(system, ref)
      ref.send({ type: 'patient.wait' })
      t.match(await exit, { reason: { type: 'threw', error: { code: 'BAD_CONFIG' } } }, `${engine} ${waitMs}`)
    }
  }
})
