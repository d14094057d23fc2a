/** SQLite stores in folders of their own, which go with their test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import { createAdvances } from '../../../src/protocols/message-log/engine/advances.ts'
import type { LogEngineContext } from '../../../src/protocols/message-log/engine/contract.ts'

/** A new folder; removed when the test is over. */
export function newFolder(t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'starfish-log-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A context by the clock of the system. What is lost goes to `lost`. */
export function newContext(lost: unknown[] = [], advances = createAdvances()): LogEngineContext {
  return { clock: systemClock, advances, onLost: error => void lost.push(error) }
}
