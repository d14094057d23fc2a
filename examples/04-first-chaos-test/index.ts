import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, createLogger, createSystem, type StarfishError } from 'starfish-net'
import { createChaos } from 'starfish-net/chaos'
import { echo } from './echo.ts'

test('the service survives the death of its actor', async () => {
  await using system = await createSystem({ shards: 2 })
  await using chaos = createChaos(system)
  const service = await system.spawn(echo, { id: 'echo' })
  const exit = await chaos.kill(service)
  assert.equal(exit.reason.type, 'killed')
  assert.equal(await service.ask({ type: 'echo.say', text: 'still here' }, { timeoutMs: 1_000 }), 'still here')
  assert.equal((await service.inspect())?.incarnation, 2)
})

test('and a monkey', async () => {
  await using system = await createSystem({ shards: 2, logger: createLogger({ level: 'silent' }) })
  const children = ['a', 'b'].map((id, shard) => child(echo, { id, shard }))
  await system.supervise({ id: 'echos', strategy: 'one_for_one', intensity: 1_000, children })
  const say = (to: string) => system.ref(echo, to).ask({ type: 'echo.say', text: to }, { timeoutMs: 5_000 })
  await using chaos = createChaos(system)
  const targets = ['echos/a', 'echos/b']
  const monkey = chaos.monkey({ everyMs: 5, faults: ['kill', 'throw', 'reject', 'pause'], targets })
  let answered = 0
  for (let i = 0; i < 500; i++) {
    // A request that an actor takes to its grave is refused, and says that it was not handled: the next one is.
    const answer = await say(targets[i % 2]!).catch((error: StarfishError) => error.handled)
    if (answer === targets[i % 2]) answered++
    else assert.equal(answer, 'no')
  }
  const { seed, done } = await monkey.stop()
  for (const to of targets) assert.equal(await say(to), to)
  console.log(`seed ${seed}: ${done.length} faults, ${answered} of 500 requests answered`)
  assert(done.length > 0 && answered > 0)
})
