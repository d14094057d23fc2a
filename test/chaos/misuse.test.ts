/** What is no fault, no schedule and no system. */
import t from 'tap'
import { createChaos, drawSchedule } from '../../src/chaos/index.ts'
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

t.test('an option that is not known is refused with the one that may be meant', async t => {
  const { system } = await startLocal(t)
  const chaos = createChaos(system)
  const way = { from: null, to: 'a' }
  const draw = { everyMs: 10, targets: ['a'] }
  const meant = (option: string) => ({ code: 'BAD_CONFIG', message: new RegExp(`did you mean ${option}\\?`) })
  await t.rejects(chaos.drop({ ...way, cuont: 3 } as never), meant('count'))
  await t.rejects(chaos.delay({ ...way, delayMS: 3 } as never), meant('delayMs'))
  await t.rejects(chaos.inflict({ kind: 'stall', target: 'a', forMS: 3 } as never), meant('forMs'))
  t.throws(() => chaos.monkey({ ...draw, sed: 1 } as never), meant('seed'))
  t.throws(() => chaos.play({ seed: 1, faults: [] }, { clok: 1 } as never), meant('clock'))
  t.throws(() => drawSchedule(1, { ...draw, count: 1, fault: [] } as never), meant('faults'))
  t.throws(() => chaos.monkey({ everyMs: 10 } as never), { code: 'BAD_CONFIG', message: /^targets has to be an array/ })
})
