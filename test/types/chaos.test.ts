/** Proofs that a verb of chaos tells by its types what it hits and what it comes to: compiled, and run. */
import t from 'tap'
import { type Chaos, createChaos, type ShardExit, type Target } from '../../src/chaos/index.ts'
import type { ActorExit } from '../../src/messages/thread/exit.ts'
import { counter } from '../supervisor/fixtures/counter.ts'
import { startLocal } from '../supervisor/fixtures/local-system.ts'

/** Compiled, and refused there. */
function never(_work: () => unknown): void {}

t.test('the end of an actor and that of a shard are told apart by what was hit', async t => {
  const { system } = await startLocal(t)
  const chaos: Chaos = createChaos(system)
  const ref = await system.spawn(counter, { id: 'c', input: { from: 0 } })
  const killed: ActorExit = await chaos.kill(ref)
  t.match(killed, { address: 'c', reason: { type: 'killed' } })
  const crashed: ActorExit = await chaos.crash('c', 'throw')
  t.match(crashed, { address: 'c', reason: { type: 'threw' } })
  const someTarget = 'c' as Target
  const either: ActorExit | ShardExit = await chaos.kill(someTarget)
  t.match(either, { address: 'c' })

  const whole = async (): Promise<ShardExit> => chaos.kill({ shard: 0 })
  never(whole)
  // @ts-expect-error a shard has no address
  never(async (): Promise<ActorExit> => chaos.kill({ shard: 0 }))
  // @ts-expect-error what it hits is not known, so neither is what it comes to
  never(async (): Promise<ActorExit> => chaos.kill(someTarget))
  // @ts-expect-error how it crashes is missing
  never(() => chaos.crash('c'))
  // @ts-expect-error nothing crashes so
  never(() => chaos.crash('c', 'segfault'))
  // @ts-expect-error a shard is named by its index
  never(() => chaos.kill({ shard: 'c' }))
  // @ts-expect-error a stall takes its time
  never(() => chaos.stall({ shard: 0 }))
  // @ts-expect-error where the messages come from is missing
  never(() => chaos.drop({ to: 'c' }))
  // @ts-expect-error a delay takes its time
  never(() => chaos.delay({ from: null, to: 'c' }))
  // @ts-expect-error no fault
  never(() => chaos.inflict({ kind: 'explode', target: 'c' }))
  // @ts-expect-error one victim, not two
  never(() => chaos.inflict({ kind: 'kill', target: 'c', shard: 0 }))
})
