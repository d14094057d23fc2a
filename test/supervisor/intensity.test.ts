import fc from 'fast-check'
import t from 'tap'
import type { ActorExit } from '../../src/messages/thread/exit.ts'
import { enterRestart, isNewFailure, type RestartWindow } from '../../src/supervisor/intensity.ts'

t.test('a restart is refused exactly when more than intensity of them lie in the closed period before it', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40), { maxLength: 40 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 1, max: 60 }),
      (gaps, intensity, periodMs) => {
        const window: RestartWindow = []
        const times: number[] = []
        let nowMs = 1_000
        for (const gap of gaps) {
          nowMs += gap
          times.push(nowMs)
          const within = times.filter(time => time >= nowMs - periodMs).length
          const allowed = enterRestart(window, { intensity, periodMs }, nowMs)
          if (allowed !== within <= intensity) return false
          if (!allowed) return window.length === within
        }
        return true
      },
    ),
  )
})

t.test('a window remembers no more than intensity + 1 restarts', async t => {
  const window: RestartWindow = []
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) enterRestart(window, { intensity: 3, periodMs: 29 }, nowMs)
  t.equal(window.length, 3)
})

t.test('exits that carry the same shard loss are one failure, later losses and other shards are others', async t => {
  const losses = new Map<number, number>()
  const lost = (shard: number, incarnation: number) =>
    isNewFailure(losses, { shardLoss: { shard, incarnation } } as ActorExit)
  t.same(
    [lost(0, 1), lost(0, 1), lost(1, 1), lost(0, 2), lost(0, 1), lost(1, 1)],
    [true, false, true, true, false, false],
  )
  t.equal(isNewFailure(losses, {} as ActorExit), true, 'an exit without one always is')
  t.equal(losses.size, 2, 'one entry a shard is kept')
})
