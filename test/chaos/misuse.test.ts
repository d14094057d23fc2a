/** What is no fault, no schedule and no system. */
import t from 'tap'
import { createChaos } from '../../src/chaos/index.ts'
import { startLocal } from '../supervisor/fixtures/local-system.ts'

t.test('each is refused by name', async t => {
  const { system } = await startLocal(t)
  const chaos = createChaos(system)
  for (const fault of [null, undefined, 'kill', {}]) {
    await t.rejects(chaos.inflict(fault as never), { code: 'BAD_CONFIG', message: /^(fault|kind) has to be/ })
  }
  for (const schedule of [null, undefined, {}, [], { seed: 1, faults: [{ fault: { kind: 'kill' } }] }]) {
    t.throws(() => chaos.play(schedule as never), { code: 'BAD_CONFIG', message: /^(schedule|atMs) has to be/ })
  }
  t.throws(() => createChaos({} as never), { code: 'BAD_CONFIG', message: /system is/ })
})
