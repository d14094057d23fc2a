import fc from 'fast-check'
import t from 'tap'
import { type DrawOptions, drawSchedule, type FaultName } from '../../src/chaos/index.ts'

const targets = ['a', 'b', { address: 'c' }, { shard: 1 }]
const everyFault: FaultName[] = ['kill', 'throw', 'reject', 'exit', 'outOfMemory', 'stall', 'pause', 'drop', 'delay']

t.test('a seed draws the same schedule every time, and another seed another one', async t => {
  const options = { everyMs: 100, targets, faults: everyFault, count: 50 }
  t.same(drawSchedule(7, options), drawSchedule(7, options))
  t.notSame(drawSchedule(7, options).faults, drawSchedule(8, options).faults)
})

t.test('a longer schedule begins as the shorter one of its seed', async t => {
  const options = { everyMs: 100, targets, faults: everyFault }
  const { faults } = drawSchedule(7, { ...options, count: 50 })
  t.same(drawSchedule(7, { ...options, count: 20 }).faults, faults.slice(0, 20))
})

t.test('the faults of a seed are these: what a printed seed means does not change', async t => {
  t.same(drawSchedule(1, { everyMs: 100, targets: ['a', { shard: 0 }], count: 3 }), {
    seed: 1,
    faults: [
      { atMs: 113, fault: { kind: 'kill', shard: 0 } },
      { atMs: 261, fault: { kind: 'pause', target: 'a' }, forMs: 111 },
      { atMs: 383, fault: { kind: 'crash', how: 'throw', shard: 0 } },
    ],
  })
})

t.test('every seed draws only what was asked for, in order of time', async t => {
  const hit = new Set<string>()
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 1_000 }), (seed, everyMs) => {
      let lastMs = 0
      for (const { atMs, fault, forMs } of drawSchedule(seed, { everyMs, targets, faults: everyFault, count: 40 })
        .faults) {
        hit.add(fault.kind === 'crash' ? fault.how : fault.kind)
        const gapMs = atMs - lastMs
        lastMs = atMs
        if (gapMs < Math.max(1, Math.floor(everyMs / 2)) || gapMs > everyMs * 1.5 + 1) return false
        if ('from' in fault) {
          if (fault.from === fault.to || !['a', 'b', 'c'].includes(fault.to)) return false
        } else if (fault.shard !== 1 && !['a', 'b', 'c'].includes(fault.target!)) return false
        const lasts = fault.kind === 'pause' || fault.kind === 'drop' || fault.kind === 'delay'
        if (lasts !== (forMs !== undefined)) return false
      }
      return true
    }),
    { numRuns: 50 },
  )
  t.same([...hit].sort(), [...everyFault].sort(), 'and all of it')
})

t.test('by default nothing is drawn that costs an actor its shard', async t => {
  const { faults } = drawSchedule(3, { everyMs: 10, targets: ['a'], count: 200 })
  const kinds = new Set(faults.map(({ fault }) => (fault.kind === 'crash' ? fault.how : fault.kind)))
  t.same([...kinds].sort(), ['kill', 'pause', 'reject', 'throw'])
})

t.test('what nothing can be drawn from is refused, naming the option', async t => {
  const refused = (seed: number, options: Partial<DrawOptions & { count: number }>) => {
    const whole = { everyMs: 10, targets, count: 1, ...options }
    try {
      drawSchedule(seed, whole)
      return 'drawn'
    } catch (error) {
      const { code, details } = error as { code: string; details: { option: string } }
      return [code, details.option]
    }
  }
  t.same(refused(-1, {}), ['BAD_CONFIG', 'seed'])
  t.same(refused(2 ** 32, {}), ['BAD_CONFIG', 'seed'])
  t.same(refused(1, { count: -1 }), ['BAD_CONFIG', 'count'])
  t.same(refused(1, { everyMs: 0 }), ['BAD_CONFIG', 'everyMs'])
  t.same(refused(1, { faults: [] }), ['BAD_CONFIG', 'faults'])
  t.same(refused(1, { faults: ['crash' as 'kill'] }), ['BAD_CONFIG', 'faults'])
  t.same(refused(1, { targets: [] }), ['BAD_CONFIG', 'targets'])
  t.same(refused(1, { targets: [{} as { shard: number }] }), ['BAD_CONFIG', 'target'])
  t.same(refused(1, { faults: ['drop'], targets: ['a', 'a', { shard: 0 }] }), ['BAD_CONFIG', 'targets'])
})
