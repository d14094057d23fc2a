/** The conformance suite of log engines as tests of tap. */
import t from 'tap'
import { type LogEngineKind, logEngineCases } from '../../../src/protocols/message-log/engine/conformance/index.ts'

/** Runs every case. */
export function runEngineConformance(name: string, kind: LogEngineKind): void {
  for (const each of logEngineCases(kind)) t.test(`${name}: ${each.name}`, () => each.run())
}
