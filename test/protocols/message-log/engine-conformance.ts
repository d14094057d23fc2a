/** The contract of log engines, rule by rule: what every engine is run through. */
import t from 'tap'
import { runLife } from './conformance/life.ts'
import { runMessages } from './conformance/messages.ts'
import { runProducers } from './conformance/producers.ts'
import { runReopening } from './conformance/reopening.ts'
import { runRetention } from './conformance/retention.ts'
import { runTopics } from './conformance/topics.ts'
import type { EngineKind, EngineTest } from './engine-world.ts'

/** Runs every case on a world of its own. */
export function runEngineConformance(kind: EngineKind): void {
  const test: EngineTest = (name, body) =>
    t.test(`${kind.name}: ${name}`, async t => {
      const world = await kind.open()
      try {
        const topic = await world.engine.createTopic('orders', 1)
        await body(t, world, topic.partitionIds[0]!)
      } finally {
        await world.close()
      }
    })

  runTopics(test)
  runMessages(test)
  runProducers(test)
  runRetention(test)
  runLife(test)
  if (kind.outlivesClose) runReopening(test)
}

/** For the context of a world: in these cases nothing is lost that was acknowledged. */
export function failOnLost(error: unknown): void {
  t.error(error)
}
