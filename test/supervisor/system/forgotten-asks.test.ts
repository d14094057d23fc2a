/** Whose business an ask is that is rejected, and not handled by who made it: the asker's, never that of the asked. */
import t from 'tap'
import { createSystem } from '../../../src/supervisor/system.ts'
import { asker } from '../fixtures/asker.ts'
import { runProgram } from '../fixtures/guard/run-program.ts'
import { exitOf, quiet } from '../fixtures/local-system.ts'
import { subject } from '../fixtures/subject.ts'

const codes = ['NO_REPLY', 'ASK_TIMEOUT', 'ACTOR_DIED', 'NO_SUCH_ACTOR', 'ASK_ABORTED', 'NO_REPLY']

for (const shards of [0, 2]) {
  t.test(
    `a rejected ask that the program does not handle is told to the program alone, with ${shards} shards`,
    async t => {
      const { code, out, err } = await runProgram('forgotten-asks', [`${shards}`, 'listens'])
      t.same(out.trim().split('\n'), [...codes, ...(shards > 0 ? ['NOT_CLONABLE'] : []), 'starts 1,1,1'])
      t.equal(code, 0, err)
    },
  )

  t.test(
    `a rejected ask ends a program that handles it nowhere, as any promise does, with ${shards} shards`,
    async t => {
      const { code, err } = await runProgram('forgotten-asks', [`${shards}`, 'deaf'])
      t.equal(code, 1)
      t.match(err, /subject\.ignore[\s\S]*NO_REPLY/)
    },
  )

  t.test(`a rejected ask that an actor does not handle ends the asker alone, with ${shards} shards`, async t => {
    await using system = await createSystem({ shards, logger: quiet })
    const on = (shard: number) => (shards === 0 ? 'main' : shard)
    const near = await system.spawn(subject, { id: 'near', shard: on(0) })
    const far = await system.spawn(subject, { id: 'far', shard: on(1) })
    const a = await system.spawn(asker, { id: 'a', shard: on(0) })
    for (const { address } of [near, far]) {
      const ended = exitOf(system, a)
      a.send({ type: 'asker.forget', to: address, event: { type: 'subject.ignore' } })
      t.match(await ended, {
        reason: { type: 'unhandledRejection', error: { code: 'NO_REPLY' } },
        shardLoss: undefined,
      })
    }
    const starts = await Promise.all([near, far].map(async ref => (await ref.inspect())?.incarnation))
    t.same(starts, [1, 1])
  })
}
