/** What a client of the log is asked with and cannot use: refused by name, with nothing sent. */
import t from 'tap'
import { createLogClient, isStarfishError, type LogClient, memoryLogEngine } from '../../src/index.ts'
import { serveLog } from './fixtures/served-log.ts'

t.setTimeout(30_000)

/** Values of all kinds. */
const junk: readonly unknown[] = [
  null,
  '',
  'x',
  '5',
  true,
  Number.NaN,
  -1,
  1.5,
  2n,
  Symbol('s'),
  () => 1,
  [],
  {},
  Object.create(null),
  new Date(0),
]

const without = (...fine: readonly unknown[]) => junk.filter(value => !fine.includes(value))
const objects = junk.filter(value => typeof value === 'object' && value !== null && !Array.isArray(value))

type Use = (client: LogClient, value: never) => unknown

const messages = [{ value: 'x' }]

/** What is told of the use, which values it is tried with, and how. */
const uses: readonly (readonly [RegExp, readonly unknown[], Use])[] = [
  [/timeoutMs is/, without(1.5), (client, timeoutMs) => client.getOffset(1, { timeoutMs })],
  [/signal is/, junk, (client, signal) => client.getOffset(1, { signal })],
  [/options is/, without(...objects), (client, options) => client.getOffset(1, options)],
  [/options is/, without(...objects), (client, options) => client.fetch(1, 0, 1, options)],
  [/options is/, without(...objects), (client, options) => client.produce(1, messages, options)],
  [/longPoll/, junk, (client, longPoll) => client.fetch(1, 0, 1, { longPoll })],
  [/longPoll.maxWaitMs/, junk, (client, maxWaitMs) => client.fetch(1, 0, 1, { longPoll: { maxWaitMs, minBytes: 1 } })],
  [/producer/, junk, (client, producer) => client.produce(1, messages, { producer })],
  [
    /producer.producerId is/,
    without(2n),
    (client, producerId) => client.produce(1, messages, { producer: { producerId, sequence: 0 } }),
  ],
  [/signal is/, junk, (client, signal) => client.producer().send({ topic: 'new', messages }, { signal })],
  [/options is/, without(...objects), (client, options) => client.producer().send({ topic: 'new', messages }, options)],
  [
    /messages\[0\].partition is/,
    junk,
    (client, partition) => client.producer().send({ topic: 'new', messages: [{ value: 'x', partition }] }),
  ],
  [/not closed: (it|timeoutMs) is/, without(1.5, ...objects), (client, options) => client.producer().close(options)],
  [/not closed: timeoutMs is/, without(1.5), (client, timeoutMs) => client.producer().close({ timeoutMs })],
  [/not closed: (it|timeoutMs) is/, without(...objects), (client, options) => client.close(options)],
  [/not closed: timeoutMs is/, without(1.5), (client, timeoutMs) => client.close({ timeoutMs })],
  [/from (is|x is)/, without({}, ...objects.slice(0, 2)), (client, from) => client.consumer({ topic: 't', from })],
  [/from\[x\] is/, [0], client => client.consumer({ topic: 't', from: { x: 0 } as Record<number, number> })],
  [/from\[4294967296\] is/, [0], client => client.consumer({ topic: 't', from: { 4294967296: 0 } })],
  [/partitions(\[0\])? is/, [undefined, ...junk], (client, id) => client.consumer({ topic: 't', partitions: [id] })],
  [/partitions is/, junk, (client, partitions) => client.consumer({ topic: 't', partitions })],
  [/partitions\[1\] is 1 again/, [0], client => client.consumer({ topic: 't', partitions: [1, 1] })],
  [/maxWaitMs is/, junk, (client, maxWaitMs) => client.consumer({ topic: 't', maxWaitMs })],
  [/signal is/, junk, (client, signal) => client.consumer({ topic: 't', signal })],
  [
    /partitions is/,
    without([]),
    (client, ids) => client.consumer({ topic: 't' }).pause(Array.isArray(ids) ? null! : ids),
  ],
  [/partitions\[0\] is/, junk, (client, id) => client.consumer({ topic: 't' }).resume([id])],
  [
    /handle is/,
    without(...junk.filter(v => typeof v === 'function')),
    (c, fn) => c.consumer({ topic: 't' }).eachBatch(fn),
  ],
]

t.test('what cannot be used is refused by its name, and nothing is sent', async t => {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined) })
  const client = createLogClient(`127.0.0.1:${port}`)
  t.teardown(() => client.close({ timeoutMs: 0 }))
  for (const [told, values, use] of uses) {
    for (const value of values) {
      const error = await Promise.try(() => use(client, value as never)).then(
        () => undefined,
        error => error,
      )
      const isTold = isStarfishError(error, 'BAD_CONFIG') && told.test(error.message)
      if (!isTold) t.fail(`${use} with ${typeof value} ${String(Object(value)?.constructor?.name)}: ${error}`)
    }
  }
  t.equal(client.stats().requests, 0)
})
