/** What the log server and engines take and give, checked by tsc: an error that is expected and does not come is an error. */
import t from 'tap'
import {
  type BoundLogEngine,
  createLogServer,
  defineLogEngine,
  type LogEngine,
  type LogServer,
  memoryLogEngine,
  type ServerFigures,
  type System,
  sqliteLogEngine,
} from '../../src/index.ts'

/** True when the two are the very same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function holds<T extends true>(_proof: T): void {}

/** Compiled, and refused there; it is not run. */
function never(_work: (system: System) => unknown): void {}

t.test('a log server is told its port and its engine', async t => {
  const engine = sqliteLogEngine.with({ path: './data/log.db', fileBytesMax: 2 ** 30 })
  holds<Same<typeof engine, BoundLogEngine>>(true)
  never(system => createLogServer(system, { port: 0, engine, retention: { ageMs: 1 }, limits: { connectionsMax: 1 } }))
  // @ts-expect-error no engine
  never(system => createLogServer(system, { port: 0 }))
  // @ts-expect-error no port
  never(system => createLogServer(system, { engine }))
  // @ts-expect-error an engine without its options
  never(system => createLogServer(system, { port: 0, engine: sqliteLogEngine }))
  // @ts-expect-error a protocol of its own
  never(system => createLogServer(system, { port: 0, engine, protocol: {} }))
  // @ts-expect-error a misspelt option
  never(system => createLogServer(system, { port: 0, engine, retention: { ageMS: 1 } }))
  never(system => {
    const server = createLogServer(system, { port: 0, engine })
    holds<Same<typeof server, LogServer>>(true)
    const stats = server.stats()
    const figures: ServerFigures = stats
    return figures
  })
  t.ok(engine)
})

t.test('an engine takes its own options', async t => {
  // @ts-expect-error no path
  never(() => sqliteLogEngine.with({}))
  // @ts-expect-error the path is a text
  never(() => sqliteLogEngine.with({ path: 7 }))
  // @ts-expect-error the engine in memory takes none
  never(() => memoryLogEngine.with({ path: 'a' }))
  const tape = defineLogEngine(import.meta.url, 'tape', {
    open: ({ device }: { device: string }): LogEngine => {
      throw new Error(device)
    },
  })
  holds<Same<Parameters<typeof tape.with>, [{ device: string }]>>(true)
  // @ts-expect-error an opener that opens nothing
  never(() => defineLogEngine(import.meta.url, 'tape', {}))
  // @ts-expect-error what is opened is no engine
  never(() => defineLogEngine(import.meta.url, 'tape', { open: () => 7 }))
  t.ok(tape)
})
