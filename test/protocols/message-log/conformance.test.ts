/** The conformance suite of log engines finds what an engine does wrong, and says which rule that is. */
import { AssertionError } from 'node:assert'
import t from 'tap'
import { StarfishError } from '../../../src/messages/errors.ts'
import { logEngineCases } from '../../../src/protocols/message-log/engine/conformance/index.ts'
import type { LogEngine, LogEngineContext } from '../../../src/protocols/message-log/engine/contract.ts'
import { memoryLogEngine } from '../../../src/protocols/message-log/engine/memory/memory-engine.ts'

/** Runs all cases over the engine in memory with a fault; answers what each that failed rejected with. */
async function failures(
  spoil: (engine: LogEngine, context: LogEngineContext) => Partial<LogEngine>,
): Promise<Map<string, unknown>> {
  const open = async (context: LogEngineContext) => {
    const engine = await memoryLogEngine.opener.open(undefined, context)
    Object.assign(engine, spoil(engine, context))
    return { engine, reader: engine, reopen: () => open(context), close: async () => engine.close() }
  }
  const failed = new Map<string, unknown>()
  for (const { name, run } of logEngineCases({ outlivesClose: false, open })) {
    await run().catch(error => failed.set(name, error))
  }
  return failed
}

t.test('an engine that keeps the contract fails no case', async t => {
  t.same([...(await failures(() => ({}))).keys()], [])
})

t.test('an engine that knows no repeats fails the cases of repeats, each with what was expected', async t => {
  const failed = await failures(engine => {
    const append = engine.append.bind(engine)
    return {
      append: ({ producer, ...request }) =>
        producer !== undefined && producer.sequence < 2 ** 32 && producer.id >= 0 && producer.id < 2n ** 64n
          ? append(request)
          : append({ ...request, producer }),
    }
  })
  t.same(
    [...failed.keys()],
    [
      'a repeat is answered as the first was, and stores nothing',
      'a repeat of an append in hand waits for it and gets its answer',
      'producers and partitions have sequences of their own',
      'sequences may overtake each other',
      'the last answers of a producer are kept, and older repeats are refused',
      'answers of producers are forgotten at their age',
    ],
  )
  for (const error of failed.values()) t.ok(error instanceof AssertionError)
  t.match(failed.get('the last answers of a producer are kept, and older repeats are refused'), {
    message: /^append\(0\) was to be refused with STORAGE_FAILED, and is answered \{ baseOffset: 65, stored: 1 \}/,
  })
})

t.test('what an engine loses that it has acknowledged fails its case', async t => {
  const failed = await failures((engine, context) => {
    const append = engine.append.bind(engine)
    return {
      append(request) {
        if (request.acknowledgement === 'received') context.onLost('lost')
        return append(request)
      },
    }
  })
  t.ok(failed.has('an append that is to be received is read back'))
  t.notOk(failed.has('an append that is to be committed is read back'))
})

t.test('what an engine takes that it is to refuse is told with what was asked', async t => {
  const failed = await failures(engine => {
    const createTopic = engine.createTopic.bind(engine)
    return { createTopic: (name, partitions) => createTopic(name, Math.ceil(partitions)) }
  })
  t.same([...failed.keys()], ['names and numbers of partitions have limits'])
  t.match(failed.get('names and numbers of partitions have limits'), {
    message:
      /^engine\.createTopic\(name, partitions\) of 'half', 1\.5 was to be refused with BAD_CONFIG, and is answered /,
  })
})

t.test('a refusal without its details, or of another code, fails its case', async t => {
  const named = 'a topic is created once, and is gone once'
  for (const code of ['TOPIC_NOT_FOUND', 'STORAGE_FAILED'] as const) {
    const failed = await failures(engine => {
      const topics = new Set(['orders'])
      const deleteTopic = engine.deleteTopic.bind(engine)
      return {
        deleteTopic(name) {
          if (!topics.delete(name)) throw new StarfishError(code, 'none', { handled: 'no' })
          return deleteTopic(name)
        },
      }
    })
    t.same([...failed.keys()], [named])
    t.ok(failed.get(named) instanceof AssertionError)
  }
})
