/**
 * `starfish-net/log/conformance`: the contract of log engines, rule by rule, for whoever writes one. Plain functions that throw
 * an AssertionError: they run under node:test, under tap and in a script.
 */
import '../../../../check-node.js'
import { createVirtualClock } from '../../../../actors/runtime/clock.ts'
import { createAdvances } from '../advances.ts'
import { same } from './checks.ts'
import { casesOfLife } from './life.ts'
import { casesOfMessages } from './messages.ts'
import { casesOfProducers } from './producers.ts'
import { casesOfReopening } from './reopening.ts'
import { casesOfRetention } from './retention.ts'
import { casesOfTopics } from './topics.ts'
import type { CaseBody, DeclareCase, LogEngineKind } from './world.ts'

export type { LogEngineKind, OpenedLog } from './world.ts'

/** A rule of the contract. */
export interface LogEngineCase {
  /** What holds, as a sentence. */
  readonly name: string
  /** Opens a store, looks whether it holds, and closes it. Rejects with an AssertionError, or with what the engine threw. */
  run(): Promise<void>
}

const startMs = 1_000_000

/**
 * The cases for an engine, each with a store of its own; those of a store that outlives its engine only where it does.
 *
 * @example
 * for (const { name, run } of logEngineCases({ outlivesClose: false, open })) test(name, run)
 */
export function logEngineCases(kind: LogEngineKind): readonly LogEngineCase[] {
  const cases: LogEngineCase[] = []
  const declare: DeclareCase = (name, body) => cases.push({ name, run: () => runCase(kind, body) })
  casesOfTopics(declare)
  casesOfMessages(declare)
  casesOfProducers(declare)
  casesOfRetention(declare)
  casesOfLife(declare)
  if (kind.outlivesClose) casesOfReopening(declare)
  return cases
}

async function runCase(kind: LogEngineKind, body: CaseBody): Promise<void> {
  const clock = createVirtualClock(startMs)
  const lost: unknown[] = []
  const opened = await kind.open({ clock, advances: createAdvances(), onLost: error => void lost.push(error) })
  try {
    const { partitionIds } = await opened.engine.createTopic('orders', 1)
    await body({ ...opened, clock }, partitionIds[0]!)
  } finally {
    await opened.close()
  }
  same(lost, [])
}
